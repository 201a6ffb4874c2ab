/** Pictures as they are sent: in the request itself. */

import type { Picture } from "./requests";

/** Pictures in one prompt. */
export const MOST = 8;

/** Bytes of one picture; in base64 eight of these still fit into a request. */
const LARGEST = 2_500_000;

/** Read pictures that were chosen, dropped or pasted. Throws when one of them is none, or too large. */
export async function pictures(files: Iterable<File>): Promise<Picture[]> {
  const wanted = [...files];
  for (const file of wanted) {
    if (!file.type.startsWith("image/")) throw new Error(`${file.name} is not a picture.`);
    if (file.size > LARGEST) {
      throw new Error(
        `${file.name} has ${(file.size / 1e6).toFixed(1)} MB; at most 2.5 MB go into a request.`,
      );
    }
  }
  return Promise.all(wanted.map(async (file) => ({ name: file.name || "picture", url: await read(file) })));
}

function read(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(new Error(`${file.name} could not be read.`));
    reader.readAsDataURL(file);
  });
}
