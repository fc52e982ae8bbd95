/* Drafts: what is typed stays on this phone until it has arrived.
   <form data-draft="report" data-draft-hours="72">   kept in localStorage, put back when the page opens again
   <p data-draft-note hidden></p>                      says when it was kept or put back, and offers to drop it
   <meta name="draft-done" content="report">           on the page after success, and where nothing may stay: it is cleared
   With no draft in store only what is typed from then on is kept, never what the server or the browser put into the form.
   Passwords, files, codes and hidden fields are never kept. A field with data-no-draft is left out. */
(() => {
  'use strict';
  const english = document.documentElement.lang.startsWith('en');
  const words = english
    ? { back: 'We put back what you had typed', drop: 'Drop it', kept: 'Kept on this device' }
    : { back: '上次写的还在，已经放回来了', drop: '不要了', kept: '已存在这台手机上' };
  const NEVER = ['password', 'file', 'hidden', 'submit', 'button', 'image', 'reset'];
  const key = (name) => `fz-draft:${name}`;
  const store = (() => {
    try { localStorage.setItem('fz-try', '1'); localStorage.removeItem('fz-try'); return localStorage; } catch { return null; }
  })();
  if (!store) return;

  document.querySelectorAll('meta[name="draft-done"]').forEach((meta) => store.removeItem(key(meta.content)));

  const fields = (form) => Array.from(form.elements).filter((field) =>
    field.name && !NEVER.includes(field.type) && !('noDraft' in field.dataset) && field.autocomplete !== 'one-time-code');

  const read = (form, which) => fields(form).filter(which).map((field) => (field.type === 'checkbox' || field.type === 'radio')
    ? [field.name, field.value, field.checked] : [field.name, field.value]);

  const clock = (at) => new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false });

  const say = (form, text, button) => {
    const note = form.querySelector('[data-draft-note]');
    if (!note) return;
    note.textContent = text;
    if (button) note.append(' ', button);
    note.hidden = false;
  };

  const restore = (form, kept) => {
    let changed = false;
    const left = kept.values.slice();
    for (const field of fields(form)) {
      const two = field.type === 'checkbox' || field.type === 'radio';
      const at = left.findIndex((entry) => entry[0] === field.name && (!two || entry[1] === field.value));
      if (at < 0) continue;
      const [entry] = left.splice(at, 1);
      if (two) { if (field.checked !== entry[2]) { field.checked = entry[2]; changed = true; } }
      // What the server sent back with a refusal is newer than the draft.
      else if (!field.value && entry[1]) { field.value = entry[1]; changed = true; }
    }
    return changed;
  };

  document.querySelectorAll('form[data-draft]').forEach((form) => {
    const name = form.dataset.draft;
    const hours = Number(form.dataset.draftHours || 72);
    let kept = null;
    try { kept = JSON.parse(store.getItem(key(name)) || 'null'); } catch { kept = null; }
    if (kept && Date.now() - kept.at > hours * 36e5) { store.removeItem(key(name)); kept = null; }
    if (kept && restore(form, kept)) {
      const drop = document.createElement('button');
      drop.type = 'button';
      drop.className = 'text-button';
      drop.textContent = words.drop;
      drop.addEventListener('click', () => {
        store.removeItem(key(name));
        form.reset();
        form.querySelector('[data-draft-note]').hidden = true;
        form.dispatchEvent(new Event('input', { bubbles: true }));
      });
      say(form, words.back, drop);
      form.dispatchEvent(new CustomEvent('fz:restored', { bubbles: true }));
    }
    let timer = 0;
    let sent = false;
    // What stands in the form while no draft is in store is not ours to keep: it may be what a draft was cleared of.
    const standing = () => new Map(fields(form).map((field) => [field, JSON.stringify([field.value, field.checked])]));
    let stood = kept ? new Map() : standing();
    const typed = () => read(form, (field) => stood.get(field) !== JSON.stringify([field.value, field.checked]));
    const still = () => { clearTimeout(timer); timer = 0; };
    const keep = () => {
      still();
      const values = typed();
      if (!values.length) {
        store.removeItem(key(name));
        const note = form.querySelector('[data-draft-note]');
        if (note) note.hidden = true;
        return;
      }
      const at = Date.now();
      try { store.setItem(key(name), JSON.stringify({ at, values })); } catch { return; }
      say(form, `✓ ${words.kept} ${clock(at)}`);
    };
    form.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(keep, 600); });
    form.addEventListener('change', () => { clearTimeout(timer); timer = setTimeout(keep, 200); });
    // Once it is sent, the answer says what becomes of the draft: the page that leaves must not write over that.
    window.addEventListener('pagehide', () => { if (timer && !sent) keep(); still(); });
    // Back by the browser's own button: it fills the form in after this has run.
    window.addEventListener('pageshow', () => {
      sent = false;
      if (!store.getItem(key(name))) stood = standing();
    });
    // Kept again just before it is sent: if the session is lost or the net fails, nothing is.
    form.addEventListener('submit', () => { if (timer || store.getItem(key(name))) keep(); sent = true; });
  });
})();
