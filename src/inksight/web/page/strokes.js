// Pen strokes: drawn as `inksight.imaging.strokes` draws them, erased, and written into a link.

export const SIZE = 1000; // units: height and width of the drawing surface
const MARGIN = 0.25; // of the longer side of the writing: white margin
const MAX_SIDE = 256; // pixels: larger writing is scaled down to this
export const MAX_POINTS = 20000; // of all strokes together

// Return the brightness of strokes (arrays of [x, y]) drawn with a round black pen on white paper, as `rasterize` in
// Python does, to the last bit.
export function rasterize(lines, width) {
  const points = lines.flat();
  if (!points.length) return { brightness: new Float64Array(MAX_SIDE ** 2).fill(1), height: MAX_SIDE, width: MAX_SIDE };
  const [low, high] = [Math.min, Math.max].map((best) => [0, 1].map((axis) => points.map((p) => p[axis]).reduce((a, b) => best(a, b))));
  const extent = Math.max(high[0] - low[0], high[1] - low[1]);
  const margin = width + 1 + MARGIN * extent;
  const ratio = Math.min(MAX_SIDE / (extent + 2 * margin), 1);
  const [columns, rows] = [0, 1].map((axis) => Math.ceil((high[axis] - low[axis] + 2 * margin) * ratio));
  const ink = new Float64Array(rows * columns);
  for (const line of lines) {
    const scaled = line.map((point) => point.map((value, axis) => (value - low[axis] + margin) * ratio));
    const ends = scaled.length > 1 ? scaled.slice(1) : scaled;
    ends.forEach((end, i) => drawSegment(ink, rows, columns, scaled[i], end, (width * ratio) / 2));
  }
  return { brightness: ink.map((value) => 1 - value), height: rows, width: columns };
}

function drawSegment(ink, rows, columns, [x0, y0], [x1, y1], radius) {
  const dx = x1 - x0, dy = y1 - y0, length = Math.max(dx * dx + dy * dy, 1e-12);
  const first = (a, b) => Math.max(Math.floor(Math.min(a, b) - radius - 1), 0);
  const last = (a, b, most) => Math.min(Math.ceil(Math.max(a, b) + radius + 1), most);
  for (let row = first(y0, y1); row < last(y0, y1, rows); row++) {
    const y = row + 0.5 - y0;
    for (let column = first(x0, x1); column < last(x0, x1, columns); column++) {
      const x = column + 0.5 - x0;
      const share = Math.min(Math.max((x * dx + y * dy) / length, 0), 1);
      const distance = Math.sqrt((x - share * dx) ** 2 + (y - share * dy) ** 2);
      const value = Math.min(Math.max(radius - distance + 0.5, 0), 1);
      if (value > ink[row * columns + column]) ink[row * columns + column] = value;
    }
  }
}

// Return strokes without what lies within `radius` of a point; a stroke that is cut becomes several.
export function erase(lines, [x, y], radius) {
  return lines.flatMap((line) => {
    if (line.length === 1) return Math.hypot(line[0][0] - x, line[0][1] - y) <= radius ? [] : [line];
    const pieces = [];
    let piece = [];
    const end = () => {
      if (piece.length > 1) pieces.push(piece);
      piece = [];
    };
    for (let i = 1; i < line.length; i++) {
      const [start, stop] = [line[i - 1], line[i]];
      const at = (share) => start.map((value, axis) => Math.round(value + share * (stop[axis] - value)));
      const [enter, leave] = crossing(start, stop, [x, y], radius);
      if (enter >= leave) {
        if (!piece.length) piece.push(start);
        piece.push(stop);
        continue;
      }
      if (enter > 0) {
        if (!piece.length) piece.push(start);
        piece.push(at(enter));
      }
      end();
      if (leave < 1) piece.push(at(leave), stop);
    }
    end();
    return pieces;
  });
}

// Return the shares of a segment, from 0 to 1, at which it enters and leaves a circle; equal ones if it does not.
function crossing([x0, y0], [x1, y1], [x, y], radius) {
  const [dx, dy, ox, oy] = [x1 - x0, y1 - y0, x0 - x, y0 - y];
  const a = dx * dx + dy * dy, b = ox * dx + oy * dy, c = ox * ox + oy * oy - radius * radius;
  if (a === 0) return c < 0 ? [0, 1] : [0, 0];
  const root = Math.sqrt(b * b - a * c); // NaN if the line misses the circle
  const [enter, leave] = [-b - root, -b + root].map((value) => Math.min(Math.max(value / a, 0), 1));
  return enter < leave ? [enter, leave] : [0, 0];
}

// Write strokes as text for a link: two digits of base 36 for each coordinate.
export function encode(lines) {
  const digits = (value) => Math.min(Math.max(Math.round(value), 0), SIZE).toString(36).padStart(2, "0");
  return lines.map((line) => line.map(([x, y]) => digits(x) + digits(y)).join("")).join("-");
}

// Return the strokes of a text by `encode`; none if it is damaged.
export function decode(text) {
  if (!/^(?:[0-9a-z]{4})+(?:-(?:[0-9a-z]{4})+)*$/.test(text) || text.length > 4 * MAX_POINTS) return [];
  const lines = text.split("-").map((line) => line.match(/.{4}/g).map((point) => [point.slice(0, 2), point.slice(2)].map((two) => parseInt(two, 36))));
  return lines.flat(2).every((value) => value <= SIZE) ? lines : [];
}

export function countPoints(lines) {
  return lines.reduce((sum, line) => sum + line.length, 0);
}
