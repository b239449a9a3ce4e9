/** Files outside a repository that must be whole or not there. */
import { mkdtemp, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Replaces `path` by `bytes`: after a crash, and whoever else writes it, it holds all of one writer's bytes. */
export async function writeFileDurably(path: string, bytes: Uint8Array): Promise<void> {
  const folder = await mkdtemp(`${path}.`);
  const temporary = join(folder, 'new');
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Brings the names in a folder to the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
