/** Where it was measured. */

import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { cpus, freemem, loadavg, release, tmpdir, totalmem, type } from 'node:os';
import type { Machine } from './report.ts';

/** Kept free in memory when a memory disk is used. */
const memoryReserve = 2 * 2 ** 30;
const memoryDisk = '/dev/shm';
/** Magic numbers of statfs(2). */
const fileSystems: Readonly<Record<number, string>> = {
  0x01021994: 'tmpfs',
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x794c7630: 'overlayfs',
  0x2fc12fc1: 'zfs',
  0x6969: 'nfs',
};

export function describeMachine(workFolder: string): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    fileSystem: fileSystemOf(workFolder),
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}

/** The memory disk when there is one with room for `needed` bytes; else the folder for temporary files. */
export function usualWorkParent(needed: number): string {
  return existsSync(memoryDisk) && roomIn(memoryDisk) >= needed ? memoryDisk : tmpdir();
}

/** Bytes that may be written there. A memory disk has no more room than there is memory. */
export function roomIn(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  const room = bavail * bsize;
  return fileSystemOf(folder) === 'tmpfs' ? Math.min(room, availableMemory() - memoryReserve) : room;
}

function fileSystemOf(folder: string): string {
  const { type: magic } = statfsSync(folder);
  return fileSystems[magic] ?? `type 0x${magic.toString(16)}`;
}

function availableMemory(): number {
  if (!existsSync('/proc/meminfo')) return freemem();
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return kibibytes === undefined ? freemem() : Number(kibibytes) * 1024;
}
