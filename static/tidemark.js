// Keeps the live parts of a page fresh. Pages are whole without it.
(() => {
  'use strict';
  const EVERY_MS = 30000;
  const parts = () => document.querySelectorAll('[data-live]');

  // What somebody is in the middle of stays: a part that holds the focus is left alone.
  const refresh = async () => {
    if (document.hidden || !navigator.onLine) return;
    const answer = await fetch(location.href, { headers: { Accept: 'text/html' } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const part of parts()) {
      const next = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
      if (next && !part.contains(document.activeElement)) part.replaceWith(next);
    }
  };

  if (parts().length > 0) {
    setInterval(() => refresh().catch(() => {}), EVERY_MS);
    document.addEventListener('visibilitychange', () => refresh().catch(() => {}));
  }
})();

// A file that is chosen goes into the text beside it. Without scripts one pastes it there.
(() => {
  'use strict';
  for (const field of document.querySelectorAll('[data-file-into]')) {
    const text = document.getElementById(field.dataset.fileInto);
    const file = field.querySelector('input[type=file]');
    if (!text || !file) continue;
    field.hidden = false;
    file.addEventListener('change', async () => {
      if (file.files.length > 0) text.value = await file.files[0].text();
    });
  }
})();
