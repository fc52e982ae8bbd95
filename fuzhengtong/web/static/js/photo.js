/* Photos: <input type="file" accept="image/*" multiple data-photos data-most="9"> shows what was taken and makes it smaller
   before it is sent: 2,048 px on the long side, JPEG. Redrawing also drops where and with what it was taken.
   <ul class="thumbs" data-thumbs> and <p data-photo-note role="status"> stand in the same form.
   What the browser cannot read (HEIC on some phones) is sent as it is; the server reads it. */
(() => {
  'use strict';
  const english = document.documentElement.lang.startsWith('en');
  const words = english
    ? { drop: 'Remove', photo: (n) => `Photo ${n}`, many: (n) => `At most ${n} photos; the first ${n} were kept.`, unseen: 'cannot be shown here, will be sent' }
    : { drop: '去掉', photo: (n) => `照片 ${n}`, many: (n) => `最多 ${n} 张，留下了前 ${n} 张。`, unseen: '这里看不了，会照样交上去' };
  const LONG = 2048;
  const SMALL = 360;

  const paint = (picture, canvas, long) => {
    const scale = Math.min(1, long / Math.max(picture.width, picture.height));
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext('2d').drawImage(picture, 0, 0, canvas.width, canvas.height);
    return scale;
  };

  // A small drawing instead of a blob address: it needs no exception in the page's content policy.
  const preview = async (file, word) => {
    try {
      const picture = await createImageBitmap(file);
      const canvas = document.createElement('canvas');
      paint(picture, canvas, SMALL);
      picture.close();
      canvas.setAttribute('role', 'img');
      canvas.setAttribute('aria-label', word);
      return canvas;
    } catch {
      const text = document.createElement('p');
      text.className = 'hint';
      text.textContent = `${file.name} ${words.unseen}`;
      return text;
    }
  };

  const smaller = async (file) => {
    if (!/^image\/(jpeg|png|webp|heic|heif)$/.test(file.type) || !window.createImageBitmap) return file;
    try {
      const picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
      const canvas = document.createElement('canvas');
      const scale = paint(picture, canvas, LONG);
      picture.close();
      const blob = await new Promise((done) => canvas.toBlob(done, 'image/jpeg', 0.85));
      if (!blob || (scale === 1 && file.type === 'image/jpeg' && blob.size > file.size * 1.5)) return file;
      return new File([blob], `${file.name.replace(/\.[^.]*$/, '') || 'photo'}.jpg`, { type: 'image/jpeg', lastModified: file.lastModified });
    } catch { return file; }
  };

  document.querySelectorAll('input[type="file"][data-photos]').forEach((input) => {
    const form = input.form;
    const thumbs = form && form.querySelector('[data-thumbs]');
    const note = form && form.querySelector('[data-photo-note]');
    if (!thumbs || !window.DataTransfer) return;
    const most = Number(input.dataset.most || 9);
    let photos = [];
    let work = Promise.resolve();

    const hand = () => {
      const bag = new DataTransfer();
      photos.forEach((photo) => bag.items.add(photo.file));
      input.files = bag.files;
    };
    const show = () => {
      thumbs.replaceChildren(...photos.map((photo, at) => {
        const item = document.createElement('li');
        const drop = document.createElement('button');
        drop.type = 'button';
        drop.className = 'button small drop';
        drop.textContent = words.drop;
        drop.setAttribute('aria-label', `${words.drop} ${words.photo(at + 1)}`);
        drop.addEventListener('click', () => { photos = photos.filter((other) => other !== photo); hand(); show(); });
        item.append(photo.seen, drop);
        return item;
      }));
      thumbs.hidden = photos.length === 0;
    };

    input.addEventListener('change', () => {
      const chosen = Array.from(input.files);
      hand();
      input.setAttribute('aria-busy', 'true');
      work = work.then(async () => {
        for (const file of chosen) {
          const ready = await smaller(file);
          photos.push({ file: ready, seen: await preview(ready, words.photo(photos.length + 1)) });
        }
        if (note) { note.hidden = photos.length <= most; note.textContent = photos.length > most ? words.many(most) : ''; }
        photos = photos.slice(0, most);
        hand();
        show();
        input.removeAttribute('aria-busy');
      });
    });
    // Sent while a photo is still being made smaller: wait for it, then send.
    form.addEventListener('submit', (event) => {
      if (!input.hasAttribute('aria-busy')) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const button = event.submitter;
      work.then(() => form.requestSubmit(button || undefined));
    }, true);
  });
})();
