/* Signed out in the middle of a sentence: the words stay.
   <form data-keep="note"> keeps its text in sessionStorage when it is sent. If the answer is the sign-in page (which
   carries data-sign-in on a form or on <body>), the text is put back when the page comes again; any other answer means
   that it arrived, and it is dropped. <p data-keep-note role="status" hidden> says what happened.
   Never kept: passwords, codes, hidden fields, files, and fields with data-no-draft. */
(() => {
  'use strict';
  const english = document.documentElement.lang.startsWith('en');
  const words = english
    ? { lost: 'You were signed out. What you wrote is kept: sign in again and it will be here.', back: 'What you wrote before signing in again has been put back.' }
    : { lost: '登录过期了。您写的都留着，重新登录后会放回来。', back: '重新登录前写的，已经放回来了。' };
  const LOST = 'fz-keep-lost';
  const key = (form) => `fz-keep:${location.pathname}:${form.dataset.keep}`;
  let store = null;
  try { store = window.sessionStorage; store.getItem(LOST); } catch { return; }
  const texts = (form) => Array.from(form.elements).filter((field) =>
    field.name && (field.tagName === 'TEXTAREA' || /^(text|search|tel|email|number)$/.test(field.type))
    && !('noDraft' in field.dataset) && field.autocomplete !== 'one-time-code');
  const note = (form, text) => {
    const line = form.querySelector('[data-keep-note]');
    if (line) { line.textContent = text; line.hidden = false; }
  };
  const keep = (form) => {
    try { store.setItem(key(form), JSON.stringify(texts(form).map((field) => [field.name, field.value]))); } catch { /* full */ }
  };

  if (document.querySelector('[data-sign-in]')) {
    store.setItem(LOST, '1');
  } else {
    document.querySelectorAll('form[data-keep]').forEach((form) => {
      if (!store.getItem(LOST)) return;
      let kept = [];
      try { kept = JSON.parse(store.getItem(key(form)) || '[]'); } catch { kept = []; }
      const values = new Map(kept);
      const empty = texts(form).filter((field) => !field.value && values.get(field.name));
      empty.forEach((field) => { field.value = values.get(field.name); });
      if (empty.length) note(form, words.back);
    });
    Object.keys(store).filter((name) => name.startsWith('fz-keep')).forEach((name) => store.removeItem(name));
  }
  document.addEventListener('submit', (event) => { if (event.target.dataset.keep !== undefined && !event.defaultPrevented) keep(event.target); });
  document.addEventListener('htmx:beforeSwap', (event) => {
    const { xhr } = event.detail;
    const form = event.target.closest && event.target.closest('form[data-keep]');
    if (!form || (xhr.status !== 401 && xhr.getResponseHeader('X-Signed-Out') !== '1')) return;
    event.detail.shouldSwap = false;
    keep(form);
    note(form, words.lost);
  });
})();
