// Returns what is wrong with the layout of a page, as one line for each fault.
() => {
  const faults = new Set();
  const styles = new Map();
  const styleOf = (e) => styles.get(e) ?? (styles.set(e, getComputedStyle(e)), styles.get(e));
  const name = (e) => e.closest("[id]")?.id + " " + e.tagName + "." + (e.getAttribute("class") ?? "");
  const words = (e) => e.textContent.trim().slice(0, 30);
  const ancestors = (e) => (e ? [e, ...ancestors(e.parentElement)] : []);
  const scrolls = (e) => styleOf(e).overflowX === "auto" && e.scrollWidth > e.clientWidth + 1;
  const elements = [...document.querySelectorAll("body, body *")].filter(
    (e) => e.getClientRects().length && styleOf(e).visibility === "visible");

  for (const e of elements) {
    if (!e.closest("svg") && scrolls(e) && (!e.matches(".more-before, .more-after") || styleOf(e).maskImage === "none" || e.tabIndex < 0))
      faults.add(`scrolls without a cue: ${name(e)}`);
    const { left, right } = e.getBoundingClientRect();
    if ((left < -0.5 || right > innerWidth + 0.5) && !ancestors(e.parentElement).some(scrolls))
      faults.add(`outside the viewport: ${name(e)}, ${left} to ${right}`);
    if (e.matches("a, button, select, summary")) {
      const box = e.getBoundingClientRect();
      const more = getComputedStyle(e, "::after");
      const side = Math.min(Math.max(box.width, parseFloat(more.width) || 0), Math.max(box.height, parseFloat(more.height) || 0));
      if (side < 23.9) faults.add(`smaller than a fingertip: ${name(e)} ${words(e)}, ${side}`);
    }
  }

  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const over = (color, below) => {
    const [r, g, b, a = 1] = channels(color);
    return [r, g, b].map((c, i) => a * c + (1 - a) * below[i]);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  // The colors behind an element: plain, and below each color of a gradient.
  const behind = (e) => ancestors(e).reverse().reduce((all, part) => {
    const { backgroundColor, backgroundImage } = styleOf(part);
    const plain = all.map((below) => over(backgroundColor, below));
    const shades = backgroundImage.startsWith("url") ? [] : backgroundImage.match(/rgba?[(][^)]+[)]/g) ?? [];
    return [...plain, ...shades.flatMap((shade) => plain.map((below) => over(shade, below)))];
  }, [[255, 255, 255]]);
  const CELL = ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]; // text on cells of a picture, which is tested with the picture
  for (const e of elements) {
    if (![...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    const isDrawn = e.closest("svg") !== null;
    const scale = isDrawn ? Math.sqrt(Math.abs(e.getScreenCTM().a * e.getScreenCTM().d - e.getScreenCTM().b * e.getScreenCTM().c)) : 1;
    const size = parseFloat(styleOf(e).fontSize) * scale;
    if (size < 9.95) faults.add(`text of ${size} px: ${name(e)} ${words(e)}`);
    const color = isDrawn ? styleOf(e).fill : styleOf(e).color;
    if (isDrawn && CELL.includes(color)) continue;
    for (const below of behind(e)) {
      const [low, high] = [luminance(over(color, below)), luminance(below)].sort((a, b) => a - b);
      const contrast = (high + 0.05) / (low + 0.05);
      if (contrast < 4.5) faults.add(`contrast of ${contrast.toFixed(2)}: ${name(e)} ${words(e)}`);
    }
  }
  return [...faults];
}
