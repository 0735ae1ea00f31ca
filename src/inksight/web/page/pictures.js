// Pictures of a digit: chosen, dropped, pasted, or taken with the camera. They are read on this machine.

const MAX_PIXELS = 2 ** 26; // as in `inksight.imaging.limits`
const MAX_BYTES = 2 ** 27; // of a file
const MAX_SIDE = 2000; // pixels: larger pictures are scaled down to this by the browser
const MAX_INK_SHARE = 0.5; // of the picture, or of their bounding box, that strokes cover
const WHITE_QUANTILE = 0.95; // of the brightness of what is visible: white ink is at least as light there

// A picture that cannot be read; `key` names the text that says why.
export class Unreadable extends Error {
  constructor(key) {
    super(key);
    this.key = key;
  }
}

// Return {brightness, height, width, image} of a picture file.
export async function readPicture(file, settings) {
  if (file.size > MAX_BYTES) throw new Unreadable("tooLarge");
  const url = URL.createObjectURL(file);
  try {
    const image = await new Promise((resolve, reject) => {
      const image = new Image();
      image.onload = () => resolve(image);
      image.onerror = () => reject(new Unreadable("notAPicture"));
      image.src = url;
    });
    const { naturalWidth: width, naturalHeight: height } = image;
    if (!width || !height) throw new Unreadable("notAPicture");
    if (width * height > MAX_PIXELS) throw new Unreadable("tooLarge");
    const whole = await createImageBitmap(image).catch(() => { throw new Unreadable("notAPicture"); }); // refuses truncated files
    return pictureOf(whole, whole.width, whole.height, settings);
  } finally {
    URL.revokeObjectURL(url);
  }
}

// Return {brightness, height, width, image} of an image or the present frame of a video.
export function pictureOf(source, fullWidth, fullHeight, settings) {
  const ratio = Math.min(MAX_SIDE / Math.max(fullWidth, fullHeight), 1);
  const [width, height] = [fullWidth, fullHeight].map((length) => Math.max(Math.round(length * ratio), 1));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Unreadable("tooLarge");
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return { brightness: brightnessOf(data, width, height, settings), height, width, image: canvas };
}

// Return the brightness of RGBA pixels, 0..1, as `inksight.imaging.grayscale` does: blended with white, unless the ink
// would vanish on it.
export function brightnessOf(data, width, height, { luma, constants }) {
  const gray = new Float64Array(width * height);
  const alpha = new Float64Array(width * height);
  for (let i = 0; i < gray.length; i++) {
    for (let channel = 0; channel < 3; channel++) gray[i] += data[4 * i + channel] * (luma[channel] / 255);
    alpha[i] = data[4 * i + 3] / 255;
  }
  if (isInkInAlpha(gray, alpha, width, constants.min_contrast)) return alpha.map((value) => 1 - value);
  return gray.map((value, i) => (alpha[i] === 1 ? value : 1 - (1 - value) * alpha[i]));
}

// Return whether a picture shows strokes on a transparent ground that blending with white would hide: see
// `inksight.imaging.transparency`.
function isInkInAlpha(gray, alpha, width, minContrast) {
  const lowest = alpha.reduce((a, b) => Math.min(a, b), 1), highest = alpha.reduce((a, b) => Math.max(a, b), 0);
  if (lowest === highest) return false;
  const visible = Array.from(alpha.keys()).filter((i) => alpha[i] >= 0.5 * highest);
  if (visible.length >= MAX_INK_SHARE * alpha.length) return false;
  const brightness = Float64Array.from(visible, (i) => gray[i]).sort();
  if (brightness.at(-1) - brightness[0] < minContrast) return true;
  const sides = [(i) => Math.floor(i / width), (i) => i % width].map((place) => {
    const [first, last] = visible.map(place).reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -1]);
    return last - first + 1;
  });
  const isWriting = visible.length < MAX_INK_SHARE * sides[0] * sides[1];
  return isWriting && brightness[Math.floor(WHITE_QUANTILE * (brightness.length - 1))] > 1 - minContrast;
}

// Let the visitor take pictures: by a file, by drop, by paste, and by the camera in `dialog`.
export function acceptPictures({ input, cameraButton, dialog }, settings, use, fail) {
  const read = async (file) => {
    try {
      use(await readPicture(file, settings));
    } catch (error) {
      fail(error instanceof Unreadable ? error.key : "notAPicture");
    }
  };
  input.addEventListener("change", () => {
    if (input.files.length) read(input.files[0]);
    input.value = "";
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) read(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => {
    const file = [...event.clipboardData.files][0];
    if (file) read(file);
  });
  cameraButton.hidden = !navigator.mediaDevices?.getUserMedia;
  cameraButton.addEventListener("click", () => openCamera(dialog, settings, use, fail));
}

async function openCamera(dialog, settings, use, fail) {
  const video = dialog.querySelector("video");
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    return fail("noCamera");
  }
  video.srcObject = stream;
  dialog.returnValue = "";
  dialog.onclose = () => {
    if (dialog.returnValue === "take" && video.videoWidth) use(pictureOf(video, video.videoWidth, video.videoHeight, settings));
    stream.getTracks().forEach((track) => track.stop());
    video.srcObject = null;
  };
  dialog.showModal();
  await video.play().catch(() => {});
}
