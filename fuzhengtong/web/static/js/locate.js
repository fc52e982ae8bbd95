/* Locate me: <button type="button" data-locate hidden> beside inputs named lat, lng, accuracy, datum in the same form,
   and <p data-locate-note role="status">. Without it, words or the map still say where. */
(() => {
  'use strict';
  if (!('geolocation' in navigator) || !window.isSecureContext) return;
  const english = document.documentElement.lang.startsWith('en');
  const words = english
    ? { wait: 'Looking for where you are…', found: (m) => `Found, within about ${m} metres`, denied: 'Location is switched off for this page. You can type the place instead.',
        missing: 'No signal for a location here. Please type the place.', late: 'This takes too long. Please type the place.' }
    : { wait: '正在找您在哪儿…', found: (m) => `找到了，误差约 ${m} 米`, denied: '这个页面没有定位权限。写地名也行。',
        missing: '这里收不到定位。写地名也行。', late: '定位太慢了。写地名也行。' };
  document.querySelectorAll('[data-locate]').forEach((button) => {
    const form = button.closest('form');
    const note = form && form.querySelector('[data-locate-note]');
    if (!form) return;
    button.hidden = false;
    const set = (name, value) => { const field = form.elements.namedItem(name); if (field) field.value = value; };
    const say = (text) => { if (note) { note.textContent = text; note.hidden = false; } };
    button.addEventListener('click', () => {
      button.setAttribute('aria-busy', 'true');
      say(words.wait);
      navigator.geolocation.getCurrentPosition(({ coords }) => {
        button.removeAttribute('aria-busy');
        set('lat', coords.latitude.toFixed(6));
        set('lng', coords.longitude.toFixed(6));
        set('accuracy', String(Math.ceil(coords.accuracy)));
        set('datum', 'WGS-84');
        say(words.found(Math.ceil(coords.accuracy)));
        form.dispatchEvent(new CustomEvent('fz:located', { bubbles: true, detail: { lat: coords.latitude, lng: coords.longitude } }));
      }, (error) => {
        button.removeAttribute('aria-busy');
        say(error.code === 1 ? words.denied : error.code === 3 ? words.late : words.missing);
      }, { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 });
    });
  });
})();
