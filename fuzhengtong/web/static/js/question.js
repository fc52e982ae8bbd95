/* One question a screen, in elder mode: <form data-questions> with parts .question and one .question-nav.
   The nav holds buttons data-next and data-back and <p data-count>. Without this file the form is one long page. */
(() => {
  'use strict';
  const english = document.documentElement.lang.startsWith('en');
  const count = english ? (at, of) => `Question ${at} of ${of}` : (at, of) => `第 ${at} 步，共 ${of} 步`;
  document.querySelectorAll('form[data-questions]').forEach((form) => {
    const parts = Array.from(form.querySelectorAll('.question'));
    const nav = form.querySelector('.question-nav');
    if (parts.length < 2 || !nav) return;
    const next = nav.querySelector('[data-next]');
    const back = nav.querySelector('[data-back]');
    const line = form.querySelector('[data-count]');
    let at = 0;

    const show = (to, { focus = false } = {}) => {
      at = Math.min(parts.length - 1, Math.max(0, to));
      parts.forEach((part, index) => part.classList.toggle('is-here', index === at));
      form.classList.toggle('is-last', at === parts.length - 1);
      if (back) back.hidden = at === 0;
      if (next) next.hidden = at === parts.length - 1;
      if (line) line.textContent = count(at + 1, parts.length);
      if (!focus) return;
      const title = parts[at].querySelector('h2, legend') || parts[at];
      title.setAttribute('tabindex', '-1');
      title.focus();
      window.scrollTo(0, 0);
    };
    const mode = () => {
      const on = document.documentElement.classList.contains('elder');
      form.classList.toggle('one-question', on);
      if (line) line.hidden = !on;
      if (!on) return;
      // After a refusal, open at the first part that has something to put right.
      const wrong = parts.findIndex((part) => part.querySelector('[aria-invalid="true"]'));
      show(wrong >= 0 ? wrong : at);
    };
    const good = () => Array.from(parts[at].querySelectorAll('input, textarea, select')).every((field) => field.reportValidity());
    if (next) next.addEventListener('click', () => { if (good()) show(at + 1, { focus: true }); });
    if (back) back.addEventListener('click', () => show(at - 1, { focus: true }));
    // A required field on a hidden part would refuse silently: go and show it.
    form.addEventListener('invalid', (event) => {
      if (!form.classList.contains('one-question')) return;
      const where = parts.findIndex((part) => part.contains(event.target));
      if (where >= 0 && where !== at) show(where, { focus: true });
    }, true);
    document.addEventListener('fz:elder', mode);
    mode();
  });
})();
