/* Larger letters. The switch is a plain form (cookie `elder`, set by the server); here it only spares a reload while
   something is typed, and gives one step more: "larger", text of 30 px, kept in the cookie `larger`.
   <form data-elder>… <button data-larger="再大些" data-smaller="小一些" hidden> … <button name="elder" value="1"> */
(() => {
  'use strict';
  const root = document.documentElement.classList;
  const forms = Array.from(document.querySelectorAll('form[data-elder]'));
  const show = () => forms.forEach((form) => {
    const on = root.contains('elder');
    const button = form.querySelector('button[name="elder"]');
    button.value = on ? '0' : '1';
    button.setAttribute('aria-pressed', String(on));
    const step = form.querySelector('[data-larger]');
    if (!step) return;
    step.hidden = !on;
    step.textContent = root.contains('elder-max') ? step.dataset.smaller : step.dataset.larger;
  });
  const larger = (on) => {
    root.toggle('elder-max', on);
    document.cookie = `larger=${on ? 1 : 0}; path=/; max-age=31536000; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`;
    show();
  };
  // A page with something typed in it must not be reloaded for the sake of larger letters.
  const typed = () => Array.from(document.querySelectorAll('form[data-draft] textarea, form[data-draft] input'))
    .some((field) => (field.type === 'file' ? field.files.length > 0 : field.type !== 'hidden' && field.value !== field.defaultValue));

  forms.forEach((form) => {
    const step = form.querySelector('[data-larger]');
    if (step) step.addEventListener('click', () => larger(!root.contains('elder-max')));
    form.addEventListener('submit', (event) => {
      if (!typed() || !window.fetch) return;
      event.preventDefault();
      const on = !root.contains('elder');
      const body = new URLSearchParams(new FormData(form));
      body.set('elder', on ? '1' : '0');
      root.toggle('elder', on);
      root.toggle('elder-max', on && /(^|; )larger=1/.test(document.cookie));
      show();
      document.dispatchEvent(new CustomEvent('fz:elder', { detail: { on } }));
      fetch(form.action, { method: 'POST', body, credentials: 'same-origin', redirect: 'manual' }).catch(() => undefined);
    });
  });
  show();
})();
