// The files of the page: those embedded in a single file, or those beside the page.

export async function readFile(name) {
  const embedded = document.getElementById(`file-${name}`);
  if (embedded) return decodeBytes(embedded.textContent);
  const answer = await fetch(new URL(name, document.baseURI));
  if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

export async function readJson(name) {
  return JSON.parse(new TextDecoder().decode(await readFile(name)));
}

export function decodeBytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
