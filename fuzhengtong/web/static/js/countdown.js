/* The clock of a short duty: <time data-countdown datetime="2026-11-24T02:34:26Z" data-now="2026-11-24T02:33:13Z">1:13</time>.
   Runs on the server's clock (data-now), says how long it is over when it is over, and marks the nearest .clock late.
   <time data-countup datetime="…" data-now="…"> shows how long ago something began: the timer of a call. */
(() => {
  'use strict';
  const english = document.documentElement.lang.startsWith('en');
  const over = english ? (text) => `${text} over` : (text) => `超过 ${text}`;
  const [load] = performance.getEntriesByType('navigation');
  // When each node came from the server, on this page's own steady clock: a wrong clock on the desk changes nothing.
  const came = new WeakMap();
  const two = (number) => String(number).padStart(2, '0');
  const text = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds));
    const minutes = Math.floor(whole / 60);
    return minutes < 60 ? `${minutes}:${two(whole % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
  };
  const meet = (when) => document.querySelectorAll('[data-countdown], [data-countup]').forEach((node) => { if (!came.has(node)) came.set(node, when); });
  const show = () => {
    meet(performance.now());
    document.querySelectorAll('[data-countdown], [data-countup]').forEach((node) => {
      const at = Date.parse(node.getAttribute('datetime'));
      const now = Date.parse(node.dataset.now) + (performance.now() - came.get(node));
      if (Number.isNaN(at) || Number.isNaN(now)) return;
      if ('countup' in node.dataset) { node.textContent = text((now - at) / 1000); return; }
      const left = (at - now) / 1000;
      node.textContent = left >= 0 ? text(left) : over(text(-left));
      const clock = node.closest('.clock');
      if (clock) clock.classList.toggle('is-late', left < 0);
    });
  };
  meet(load ? load.responseStart : 0);
  show();
  setInterval(show, 1000);
})();
