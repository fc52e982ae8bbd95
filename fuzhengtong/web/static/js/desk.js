/* The keyboard of a desk.
   J K        next and previous row of [data-rows] (links .row-open)
   Enter      opens the row that has the focus (an ordinary link)
   1 … 9      chooses [data-digit="1"] (a radio, link or button)
   /          the search field [data-find]     ?  the key sheet <dialog data-keys>     Esc  leaves a field
   any letter, F2 … F12 and Enter press [data-key="f"]; the same word stands on it in <kbd>
   Nothing happens while one types, or with Ctrl, Alt or Meta held, or while an input method composes.
   A checkbox [data-keys-on] in the key sheet switches single keys off for this browser (speech input, shaky hands). */
(() => {
  'use strict';
  const typing = (node) => node && (node.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName)
    && !/^(radio|checkbox|button|submit|range)$/.test(node.type || ''));
  const seen = (node) => node && node.getClientRects().length > 0;
  const rows = () => Array.from(document.querySelectorAll('[data-rows] .row-open')).filter(seen);

  const move = (step) => {
    const all = rows();
    if (!all.length) return false;
    let at = all.indexOf(document.activeElement);
    if (at < 0) at = all.findIndex((link) => link.closest('[aria-current="true"]'));
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step));
    all[next].focus();
    all[next].scrollIntoView({ block: 'nearest' });
    return true;
  };

  const press = (node) => {
    if (!node || !seen(node.closest('label') || node) || node.disabled || node.getAttribute('aria-disabled') === 'true') return false;
    if (node.type === 'radio') {
      node.checked = true;
      node.focus();
      node.dispatchEvent(new Event('change', { bubbles: true }));
    } else node.click();
    return true;
  };

  const choice = {
    get on() { try { return localStorage.getItem('fz-keys') !== 'off'; } catch { return true; } },
    set on(on) { try { localStorage.setItem('fz-keys', on ? 'on' : 'off'); } catch { /* kept for this page only */ } },
  };
  document.querySelectorAll('[data-keys-on]').forEach((box) => {
    box.checked = choice.on;
    box.addEventListener('change', () => { choice.on = box.checked; });
  });

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.defaultPrevented) return;
    const sheet = document.querySelector('dialog[open]');
    if (sheet) {
      if (event.key === '?' && 'keys' in sheet.dataset) { sheet.close(); event.preventDefault(); }
      return;
    }
    // F keys work while one types: at the telephone the hands stay where they are.
    const named = /^F[0-9]{1,2}$/.test(event.key) ? document.querySelector(`[data-key="${event.key}"]`) : null;
    if (named) {
      if (press(named)) event.preventDefault();
      return;
    }
    if (typing(event.target)) {
      if (event.key === 'Escape') event.target.blur();
      return;
    }
    if (!choice.on) return;
    let done = false;
    if (event.key === 'j' || event.key === 'J') done = move(1);
    else if (event.key === 'k' || event.key === 'K') done = move(-1);
    else if (event.key === '/') {
      const find = document.querySelector('[data-find]');
      if (find) { find.focus(); find.select(); done = true; }
    } else if (event.key === '?') {
      const keys = document.querySelector('dialog[data-keys]');
      if (keys) { keys.showModal(); done = true; }
    } else if (/^[0-9]$/.test(event.key)) done = press(document.querySelector(`[data-digit="${event.key}"]`));
    else if (event.key === 'Enter') {
      // Links and buttons have their own Enter; from anywhere else it confirms, once for each press of the key.
      const self = event.target.closest('a, button, summary');
      if (!self && !event.repeat) done = press(document.querySelector('[data-key="Enter"]'));
    } else if (/^[a-zA-Z]$/.test(event.key)) {
      done = press(document.querySelector(`[data-key="${event.key.toLowerCase()}"]`));
    }
    if (done) event.preventDefault();
  });

  // <button data-open="id"> opens <dialog id>; a form in the dialog with method="dialog" closes it.
  document.addEventListener('click', (event) => {
    const opener = event.target.closest('[data-open]');
    if (!opener) return;
    const dialog = document.getElementById(opener.dataset.open);
    if (!dialog || !dialog.showModal) return;
    event.preventDefault();
    dialog.showModal();
    const first = dialog.querySelector('[autofocus], input:not([type="hidden"]), textarea, select');
    if (first) first.focus();
  });
  document.querySelectorAll('[aria-current="true"] .row-open').forEach((link) => link.scrollIntoView({ block: 'nearest' }));
})();
