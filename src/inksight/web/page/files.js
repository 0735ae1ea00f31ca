// The files of the page: those embedded in a single file, or those beside the page.

const embedded = (name) => document.getElementById(`file-${name}`);

// Return a stream of the bytes of a file.
export async function openFile(name) {
  const element = embedded(name);
  if (element) return new Blob([decodeBytes(element.textContent)]).stream();
  const answer = await fetch(new URL(name, document.baseURI));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return answer.body;
}

export async function readFile(name) {
  return new Uint8Array(await new Response(await openFile(name)).arrayBuffer());
}

export async function readJson(name) {
  return JSON.parse(new TextDecoder().decode(await readFile(name)));
}

// Load a style sheet of a view. That of a single file holds all.
export function loadStyle(name) {
  if (embedded("engine.wasm") || document.querySelector(`link[href="${name}"]`)) return null;
  const link = document.createElement("link");
  return new Promise((resolve, reject) => {
    Object.assign(link, { rel: "stylesheet", href: name, onload: resolve, onerror: () => reject(new Error(name)) });
    document.head.append(link);
  });
}

// Start a script of the page in a worker. The script of a single file is embedded, as one script without imports.
export async function startWorker(name) {
  if (!embedded(name)) return new Worker(new URL(name, document.baseURI), { type: "module" });
  const address = URL.createObjectURL(new Blob([await readFile(name)], { type: "text/javascript" }));
  return new Worker(address);
}

export function decodeBytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
