import { errnoOf, type LocalFileSystem } from './local-file-system.ts';

/** What a call throws where there is no name, no folder on the way, or a link, folder or socket in place of a file. */
const absenceErrnos: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ENXIO']);

/** The size of the entry at `path`; `undefined` when there is none. */
export function sizeOfEntry(fs: LocalFileSystem, path: string): number | undefined {
  const status = orAbsent(() => fs.statSync(path));
  return status?.kind === 'file' ? status.size : undefined;
}

/** What `look` finds; `undefined` when there is no entry at the path. */
export function orAbsent<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== undefined && absenceErrnos.has(errno)) return undefined;
    throw error;
  }
}
