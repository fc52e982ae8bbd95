/* Read aloud: <button hidden data-read="id-of-part">读给我听</button>. Shows itself only where the browser has a voice. */
(() => {
  'use strict';
  if (!('speechSynthesis' in window)) return;
  const english = document.documentElement.lang.startsWith('en');
  const stop = english ? 'Stop' : '别读了';
  document.querySelectorAll('[data-read]').forEach((button) => {
    const part = document.getElementById(button.dataset.read);
    if (!part) return;
    button.hidden = false;
    const word = button.querySelector('[data-word]') || button;
    const idle = word.textContent;
    const quiet = () => { word.textContent = idle; button.setAttribute('aria-pressed', 'false'); };
    button.addEventListener('click', () => {
      const running = button.getAttribute('aria-pressed') === 'true';
      speechSynthesis.cancel();
      if (running) { quiet(); return; }
      // Drawings speak through their label; the silent ones stay silent.
      const copy = part.cloneNode(true);
      copy.querySelectorAll('[aria-hidden="true"], script, .no-read').forEach((node) => node.remove());
      copy.querySelectorAll('[role="img"][aria-label]').forEach((node) => node.replaceWith(` ${node.getAttribute('aria-label')} `));
      const said = new SpeechSynthesisUtterance(copy.textContent.replace(/\s+/g, ' ').trim());
      said.lang = english ? 'en' : 'zh-CN';
      said.rate = 0.9;
      said.addEventListener('end', quiet);
      said.addEventListener('error', quiet);
      word.textContent = stop;
      button.setAttribute('aria-pressed', 'true');
      speechSynthesis.speak(said);
    });
  });
  window.addEventListener('pagehide', () => speechSynthesis.cancel());
})();
