/* Double-submit guard: a form is sent once; its button says that it is being sent.
   Every POST form, unless data-again. <button data-busy="正在存…"> changes its word while it waits. */
(() => {
  'use strict';
  const sent = new WeakSet();
  const idle = new WeakMap();
  const free = (form) => {
    sent.delete(form);
    form.querySelectorAll('button[aria-busy="true"]').forEach((button) => {
      button.removeAttribute('aria-busy');
      button.disabled = false;
      if (idle.has(button)) { button.replaceChildren(...idle.get(button)); idle.delete(button); }
    });
  };
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method.toLowerCase() !== 'post' || 'again' in form.dataset) return;
    if (sent.has(form)) { event.preventDefault(); return; }
    sent.add(form);
    const button = event.submitter;
    // Disabled only after the browser has read the form, so that the button's own value is sent.
    if (button) setTimeout(() => {
      button.setAttribute('aria-busy', 'true');
      if (button.dataset.busy) { idle.set(button, Array.from(button.childNodes)); button.replaceChildren(button.dataset.busy); }
      button.disabled = true;
    }, 0);
    // A net that never answers must not lock the page for ever.
    setTimeout(() => free(form), 30000);
  });
  // Back from the history store: the page is alive again, and so are its buttons.
  window.addEventListener('pageshow', (event) => { if (event.persisted) document.querySelectorAll('form').forEach(free); });
  document.addEventListener('htmx:afterRequest', (event) => {
    const form = event.target.closest && event.target.closest('form');
    if (form) free(form);
  });
})();
