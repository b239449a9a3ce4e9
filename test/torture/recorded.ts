/** Stages on a filesystem in memory that can be cut off at any moment and be copied whole. */
import { localBackend } from '@mbk/core';
import {
  countingFileSystem,
  recordingFileSystem,
  type FileSystemCall,
  type RecordingFileSystem,
} from '@mbk/core/testing';
import fs from 'node:fs';
import { join } from 'node:path';
import type { RowOptions } from './row.ts';
import type { Site } from './site.ts';
import { prepareStages, type Stage, type StageName } from './stages.ts';

export interface RecordedStage extends Stage {
  /** Holds the repository as it is before the operation; to be copied, not written. */
  readonly disk: RecordingFileSystem;
}

const root = '/repository';

export async function prepareRecorded(options: RowOptions): Promise<readonly RecordedStage[]> {
  const disks = new Map<StageName, RecordingFileSystem>();
  const siteOf = (name: StageName): Site => {
    const disk = recordingFileSystem();
    disks.set(name, disk);
    return {
      backend: localBackend(root, { fs: disk }),
      host: join(options.folder, name, 'host'),
      source: join(options.folder, name, 'source'),
    };
  };
  const stages = await prepareStages(siteOf, options);
  return stages.map((stage) => ({ ...stage, disk: copyOf(disks.get(stage.name) ?? recordingFileSystem()) }));
}

/** The same disk once more, with all that was written. */
export function copyOf(disk: RecordingFileSystem): RecordingFileSystem {
  // 0.5 keeps every change of a name; what was put is on the disk, and of temporary files any part will do.
  return disk.crash(() => 0.5);
}

/** A site on `disk` with a copy of what the stage's host keeps; `onCall` hears every call of the filesystem. */
export function siteOn(
  disk: RecordingFileSystem,
  { site }: Stage,
  folder: string,
  onCall: (call: FileSystemCall) => void | (() => void) = () => undefined,
): Site {
  const host = join(folder, 'host');
  if (!fs.existsSync(host) && fs.existsSync(site.host)) fs.cpSync(site.host, host, { recursive: true });
  return { ...site, host, backend: localBackend(root, { fs: countingFileSystem(disk, onCall) }) };
}
