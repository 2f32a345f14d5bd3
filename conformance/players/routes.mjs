// What the server of the pages has: the pages, the players as npm brought them, and what looks at
// the picture and listens. Streams and licenses come from another origin.
import path from 'node:path';

const FOLDERS = {
  pages: ['pages'],
  npm: ['..', 'node_modules'],
  eme: ['..', 'eme', 'page'],
};

/// Maps an address to a file.
export function routes(here) {
  return (address) => {
    const [, folder, ...names] = address.split('/');
    const isPlain = names.length > 0 && names.every((name) => /^[\w-][\w.-]*$/.test(name));
    if (!Object.hasOwn(FOLDERS, folder) || !isPlain) return null;
    return path.join(here, ...FOLDERS[folder], ...names);
  };
}
