/* The dispatch desk follows what is chosen: its button names the office, the line below it says until when, and a choice
   not yet confirmed goes along with every search ([data-carry="urgency office"]: a form, or a list of links). */
(() => {
  'use strict';
  const form = document.getElementById('confirm');
  const line = document.getElementById('consequence');
  const word = document.querySelector('[data-assign]');
  if (!form || !line || !word) return;
  const chosen = (name) => form.querySelector(`[name="${name}"]:checked`);

  const say = () => {
    const office = chosen('office');
    const urgency = chosen('urgency');
    // As long as something is still open, the page says what, and the button promises nothing.
    if (!office || !urgency || !urgency.dataset.then) return;
    const named = (text) => text.replace('{office}', () => office.dataset.name);
    word.textContent = named(word.dataset.assign);
    line.textContent = named(urgency.dataset.then);
  };

  const carry = (radio) => {
    const { name, value } = radio;
    document.querySelectorAll(`[data-carry~="${name}"]`).forEach((node) => {
      if (node.tagName === 'FORM') {
        const kept = node.querySelector(`input[name="${name}"]`) || node.appendChild(document.createElement('input'));
        Object.assign(kept, { type: 'hidden', name, value });
      } else node.querySelectorAll('a[href]').forEach((link) => {
        const to = new URL(link.href);
        to.searchParams.set(name, value);
        link.href = to.href;
      });
    });
  };

  form.addEventListener('change', (event) => {
    if (event.target.type === 'radio') carry(event.target);
    say();
  });
  // A browser may bring back what was chosen before the page was left.
  window.addEventListener('pageshow', () => {
    form.querySelectorAll('[type="radio"]:checked').forEach((radio) => { if (!radio.defaultChecked) carry(radio); });
    say();
  });
  say();

  // A second press of the Enter that gave away the last matter must not give away the next one unread.
  if (document.querySelector('#replies .reply')) {
    const since = performance.now();
    document.addEventListener('keydown', (event) => {
      const field = event.target.closest('a, button, input, summary');
      if (event.key === 'Enter' && !field && performance.now() - since < 800) event.preventDefault();
    }, true);
  }
})();
