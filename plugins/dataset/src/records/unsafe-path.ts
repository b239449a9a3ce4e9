/** Paths that nobody should follow. */

/** Whether a path is absolute or leads up and out. */
export function isUnsafePath(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path) || path.split(/[\\/]/).includes('..');
}
