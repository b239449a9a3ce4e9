/** Where mbk keeps its own files for a user: the XDG base directories. */

import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** Folder of everything that can be made again. */
export function defaultCacheFolder(env: NodeJS.ProcessEnv): string {
  const own = env['MBK_CACHE_DIR'];
  if (own !== undefined && isAbsolute(own)) return own;
  return join(baseFolder(env['XDG_CACHE_HOME'], '.cache'), 'mbk');
}

/** Folder of what this host must remember, such as the newest history it has seen of each repository. */
export function defaultStateFolder(env: NodeJS.ProcessEnv): string {
  const own = env['MBK_STATE_DIR'];
  if (own !== undefined && isAbsolute(own)) return own;
  return join(baseFolder(env['XDG_STATE_HOME'], join('.local', 'state')), 'mbk');
}

/** The XDG specification says to ignore a value that is not an absolute path. */
function baseFolder(xdg: string | undefined, fallback: string): string {
  return xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), fallback);
}
