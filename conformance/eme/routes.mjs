// What the server has: the page, the cases, the media.
import path from 'node:path';

const NAME = /^[\w.-]+$/;

/// Maps an address to a file.
export function routes(here, media) {
  const folders = {
    page: path.join(here, 'page'),
    cases: path.join(here, 'cases'),
    media,
  };
  return (address) => {
    const [, folder, name, ...rest] = address.split('/');
    if (!Object.hasOwn(folders, folder) || !NAME.test(name ?? '') || rest.length) return null;
    return path.join(folders[folder], name);
  };
}
