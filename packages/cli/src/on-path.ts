/** Programs that are named without a slash, found as a shell would. */

import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** The file that `program` means by `path`, the PATH variable; undefined if there is none that may be run. */
export function findOnPath(program: string, path = ''): string | undefined {
  return path
    .split(delimiter)
    .filter(isAbsolute) // a relative entry would be whatever the working folder holds
    .map((folder) => join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false;
      }
    });
}
