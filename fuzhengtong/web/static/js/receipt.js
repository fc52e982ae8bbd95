/* Copy, print, share: <button hidden data-copy="text">, <button hidden data-print>, <button hidden data-share data-title="…">.
   Each shows itself only where the browser can do it. */
(() => {
  'use strict';
  const english = document.documentElement.lang.startsWith('en');
  const copied = english ? '✓ Copied' : '✓ 已复制';
  if (navigator.clipboard && window.isSecureContext) {
    document.querySelectorAll('[data-copy]').forEach((button) => {
      button.hidden = false;
      const idle = Array.from(button.childNodes);
      button.addEventListener('click', async () => {
        try { await navigator.clipboard.writeText(button.dataset.copy); } catch { return; }
        button.textContent = copied;
        setTimeout(() => button.replaceChildren(...idle), 2500);
      });
    });
  }
  document.querySelectorAll('[data-print]').forEach((button) => {
    button.hidden = false;
    button.addEventListener('click', () => window.print());
  });
  if (navigator.share) {
    document.querySelectorAll('[data-share]').forEach((button) => {
      button.hidden = false;
      button.addEventListener('click', () => navigator.share({ title: button.dataset.title || document.title, url: button.dataset.share || location.href }).catch(() => undefined));
    });
  }
})();
