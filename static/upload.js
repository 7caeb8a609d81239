// Tells how far files have been sent. The form works without it.
(() => {
  'use strict';
  const form = document.getElementById('upload-form');
  const state = document.getElementById('upload-progress');
  if (!form || !state) return;
  const button = form.querySelector('button[type=submit]');

  const say = (text, isBad) => {
    state.hidden = false;
    state.textContent = text;
    state.classList.toggle('bad', Boolean(isBad));
  };
  const fail = (text) => {
    say(text, true);
    button.disabled = false;
  };
  // The page that tells of an error has a sentence; it is all that is shown of it here.
  const sentenceOf = (request) => {
    const page = new DOMParser().parseFromString(request.responseText, 'text/html');
    const sentence = page.querySelector('main p');
    return sentence ? sentence.textContent.trim() : `The server answered ${request.status}.`;
  };

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    const bar = document.createElement('progress');
    request.upload.addEventListener('progress', ({ loaded, total }) => {
      if (!total) return;
      const percent = Math.floor((100 * loaded) / total);
      say(percent < 100 ? `${percent} % sent` : 'Sent; being stored …');
      bar.max = total;
      bar.value = loaded;
      bar.setAttribute('aria-hidden', 'true');
      state.append(' ', bar);
    });
    // The browser follows the answer to another page: to the list, or to the login.
    request.addEventListener('load', () => {
      const { pathname, search } = new URL(request.responseURL);
      if (request.status >= 400) fail(sentenceOf(request));
      else if (pathname === '/uploads' && new URLSearchParams(search).get('done') === 'sent') {
        window.location.assign('/uploads?done=sent');
      } else if (pathname === '/login') fail('You were logged out; nothing was stored. Log in and send the files again.');
      else fail('The server did not say that the files are stored. Look at the list of files.');
    });
    request.addEventListener('error', () => fail('The connection was lost; nothing was stored.'));
    button.disabled = true;
    say('Sending …');
    request.open('POST', form.action);
    request.send(new FormData(form));
  });
})();
