/* The design page measures its own colours: <div data-swatch="ink" data-on="paper"> gets the value and the contrast. */
(() => {
  'use strict';
  const part = (value) => { const v = value / 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const light = (hex) => [1, 3, 5].map((at) => part(parseInt(hex.slice(at, at + 2), 16))).reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const value = (node, name) => getComputedStyle(node).getPropertyValue(`--${name}`).trim();
  document.querySelectorAll('[data-swatch]').forEach((node) => {
    const hex = value(node, node.dataset.swatch);
    const line = node.querySelector('[data-value]');
    if (!line || !/^#[0-9A-Fa-f]{6}$/.test(hex)) return;
    line.textContent = hex;
    if (!node.dataset.on) return;
    const found = ratio(hex, value(node, node.dataset.on));
    const note = node.querySelector('[data-ratio]');
    if (note) note.textContent = `${found.toFixed(1)} : 1${found < 4.5 ? ' ▲' : ''}`;
  });
})();
