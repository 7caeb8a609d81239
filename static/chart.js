// A read-out that follows the pointer or the arrow keys over a chart. Charts are whole without
// it: every place has a title, and the numbers stand in a table.
(() => {
  'use strict';

  // What a place of a chart says: its title, which is then ours, so that it is not shown twice.
  const textOf = (hit) => {
    const title = hit.querySelector('title');
    if (title) {
      hit.dataset.says = title.textContent;
      title.remove();
    }
    return hit.dataset.says || '';
  };

  const hitsOf = (plot) => [...plot.querySelectorAll('.hit')];

  const readoutOf = (plot) => {
    const box = plot.parentElement;
    let readout = box.querySelector(':scope > .readout');
    if (!readout) {
      readout = document.createElement('p');
      readout.className = 'readout';
      readout.setAttribute('role', 'status');
      box.append(readout);
    }
    return readout;
  };

  const shown = new WeakMap(); // the place of each chart that is read now

  const leave = (plot) => {
    shown.delete(plot);
    plot.querySelector('.hit.at')?.classList.remove('at');
    plot.parentElement.querySelector(':scope > .readout')?.replaceChildren();
  };

  const show = (plot, hit) => {
    const box = plot.parentElement.getBoundingClientRect();
    const place = hit.getBoundingClientRect();
    const readout = readoutOf(plot);
    shown.set(plot, hit);
    plot.querySelector('.hit.at')?.classList.remove('at');
    hit.classList.add('at');
    readout.textContent = textOf(hit);
    const middle = place.left + place.width / 2 - box.left;
    const half = readout.offsetWidth / 2;
    readout.style.left = `${Math.max(half, Math.min(box.width - half, middle))}px`;
  };

  document.addEventListener('pointerover', (event) => {
    const hit = event.target.closest?.('.plot .hit');
    if (hit) show(hit.closest('.plot'), hit);
  });
  document.addEventListener('pointerout', (event) => {
    const plot = event.target.closest?.('.plot');
    if (plot && !plot.contains(event.relatedTarget) && plot !== document.activeElement) leave(plot);
  });

  // Arrows go from place to place, Home and End to the ends; Escape puts the read-out away.
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };
  document.addEventListener('keydown', (event) => {
    const plot = event.target.closest?.('.plot[tabindex]');
    if (!plot) return;
    const hits = hitsOf(plot);
    const at = hits.findIndex((hit) => hit.classList.contains('at'));
    let next;
    if (event.key === 'Escape') {
      leave(plot);
      return;
    }
    if (event.key === 'Home') next = 0;
    else if (event.key === 'End') next = hits.length - 1;
    else if (event.key in steps) next = at < 0 ? hits.length - 1 : at + steps[event.key];
    else return;
    event.preventDefault();
    show(plot, hits[Math.max(0, Math.min(hits.length - 1, next))]);
  });
  document.addEventListener('focusout', (event) => {
    const plot = event.target.closest?.('.plot[tabindex]');
    if (plot) leave(plot);
  });

  // Charts that can be read place by place are stops of the Tab key. Where a part of the page came
  // anew, what is being read is read again.
  const enable = () => {
    for (const plot of document.querySelectorAll('.plot:not([tabindex])')) {
      if (plot.querySelector('.hit')) plot.setAttribute('tabindex', '0');
    }
  };
  enable();
  document.addEventListener('tidemark:fresh', () => {
    enable();
    for (const plot of document.querySelectorAll('.plot')) {
      const hit = shown.get(plot);
      if (hit?.isConnected) show(plot, hit);
    }
  });
})();
