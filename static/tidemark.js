// Keeps the live parts of a page fresh. Pages are whole without it.
(() => {
  'use strict';
  const EVERY_MS = 20000;
  const parts = () => document.querySelectorAll('[data-live]');
  let timer = 0;
  let isBusy = false;

  const kept = ['open', 'tabindex'];
  const isOwn = (child) => child.className !== 'readout';

  // Makes a node what its fresh twin is and touches nothing that is so already: the focus, what
  // the pointer rests on, what somebody opened and what chart.js added stay as they are.
  const follow = (node, fresh) => {
    if (node.nodeName !== fresh.nodeName) {
      node.replaceWith(fresh);
    } else if (node.nodeType !== Node.ELEMENT_NODE) {
      if (node.data !== fresh.data) node.data = fresh.data;
    } else {
      for (const { name } of [...node.attributes]) {
        if (!fresh.hasAttribute(name) && !kept.includes(name)) node.removeAttribute(name);
      }
      for (const { name, value } of fresh.attributes) {
        if (node.getAttribute(name) !== value) node.setAttribute(name, value);
      }
      const old = [...node.childNodes].filter(isOwn);
      const wanted = [...fresh.childNodes];
      for (const gone of old.slice(wanted.length)) gone.remove();
      wanted.forEach((child, i) => {
        if (i < old.length) follow(old[i], child);
        else node.append(child);
      });
    }
  };

  const refresh = async () => {
    if (document.hidden || !navigator.onLine || isBusy) return;
    isBusy = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: 'text/html' }, cache: 'no-store' });
      if (!answer.ok || answer.redirected) {
        clearInterval(timer); // logged out, or gone: what is shown stays
        timer = 0;
        await answer.body?.cancel();
        return;
      }
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
      for (const part of parts()) {
        const twin = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
        if (twin) follow(part, twin);
      }
      document.dispatchEvent(new Event('tidemark:fresh'));
    } catch {
      // not to be reached now; the next time perhaps
    } finally {
      isBusy = false;
    }
  };

  if (parts().length > 0) {
    timer = setInterval(refresh, EVERY_MS);
    document.addEventListener('visibilitychange', () => { if (timer) refresh(); });
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

// The menu of one's own closes by Escape and by a click elsewhere.
(() => {
  'use strict';
  const menu = document.querySelector('details.self');
  if (!menu) return;
  document.addEventListener('click', (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || !menu.open) return;
    menu.open = false;
    menu.querySelector('summary').focus();
  });
})();
