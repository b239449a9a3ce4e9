/**
 * What the plugin thread does: it loads plugins, asks them, and checks what they answer. It runs one question at a time
 * and may be ended in the midst of it: it holds nothing that anybody else needs.
 */
import {
  type Checked,
  checkDifference,
  checkExamination,
  checkExport,
  checkFindings,
  checkLayout,
  type CheckedLayout,
  checkManifest,
  contributionsOf,
  type DiffContext,
  type Difference,
  type ExportedFile,
  examineFile,
  examineFolder,
  examineStream,
  type Finding,
  type Folder,
  isLayoutError,
  type Kernels,
  type Manifest,
  plainContext,
  plainKernels,
  type Plugin,
  type ReaderContext,
} from '@mbk/plugin-sdk';
import fs from 'node:fs';
import type { Channel, Handlers } from '../pool/channel.ts';
import { garbageCollector, type CollectGarbage } from '../pool/collect-garbage.ts';
import { fastNonFinite } from './fast-non-finite.ts';
import { FeedBroken } from './feed.ts';
import { type LayoutColumns, packLayout } from './layout-columns.ts';
import type {
  Answer,
  AskedFile,
  DiffCall,
  DiffFolderCall,
  DriftCall,
  ExamineAnswer,
  ExamineCall,
  ExamineFolderCall,
  ExamineManyCall,
  ExportFolderCall,
  LayoutCall,
  PluginMain,
  PluginSetup,
} from './plugin-calls.ts';
import { type RowScan, scannedRows } from './row-scan.ts';
import { openReader, type OpenedReader, type ReaderHost, remoteReader, fdReader, openBelow } from './worker-readers.ts';

interface Asked {
  readonly kind: string;
  readonly collection: string | undefined;
  readonly plugin: number;
  readonly rows?: RowScan | undefined;
}

const kernels: Kernels = { ...plainKernels, nonFinite: fastNonFinite };
/** From here on a file, or a batch of small ones, leaves more garbage than collecting it costs. */
const manyTensors = 4096;
const manyFiles = 256;
/** Most files that a folder may open. */
const mostOpen = 64;

export function pluginTask(setup: PluginSetup, { main }: { readonly main: Pick<Channel, 'call'> }): Handlers {
  const progress = new Int32Array(setup.progress);
  Atomics.store(progress, 1, 0);
  const loaded = new Map<number, Promise<Plugin>>();
  let collector: CollectGarbage | undefined;
  const collect = (): void => (collector ??= garbageCollector())();
  const host: ReaderHost = {
    main: mainOf(main),
    root: setup.root,
    tick: () => void Atomics.add(progress, 0, 1),
    async waiting(work) {
      Atomics.store(progress, 1, 1);
      try {
        return await work();
      } finally {
        Atomics.add(progress, 0, 1);
        Atomics.store(progress, 1, 0);
      }
    },
  };

  const load = (number: number): Promise<Plugin> => {
    const known = loaded.get(number);
    if (known !== undefined) return known;
    const one = setup.plugins[number];
    if (one === undefined) throw new RangeError(`expected a plugin below ${setup.plugins.length}, got ${number}`);
    const loading = loadPlugin(one.module, one.argument);
    loaded.set(number, loading);
    return loading;
  };

  const contextOf = ({ collection, kind, plugin, rows }: Asked): ReaderContext & DiffContext => {
    const options = setup.plugins[plugin]?.options ?? {};
    const plain = plainContext({ kind, options, collection, limits: setup.limits, kernels });
    if (rows === undefined) return plain;
    return {
      ...plain,
      nonFinite: async (reader, spans) => {
        const found = spans.map((span) => scannedRows(rows, span));
        const missing = spans.filter((_, i) => found[i] === undefined);
        const read = (await plain.nonFinite(reader, missing)).values();
        return found.map((one) => one ?? read.next().value ?? { nan: 0, infinite: 0, first: -1 });
      },
    };
  };

  /** Asks about a file that is opened for it. */
  const withReader = async <T>(
    file: AskedFile,
    ask: (opened: OpenedReader) => Promise<T>,
    check: (value: T) => Checked<T>,
  ): Promise<Answer<T>> => {
    let opened: OpenedReader | undefined;
    try {
      opened = openReader(file, host);
      if (opened === undefined) return { type: 'stale' };
      return answerOf(check(await ask(opened)), opened.siblings);
    } catch (error) {
      return error instanceof FeedBroken ? { type: 'stale' } : faultOf(error);
    } finally {
      opened?.close();
    }
  };

  const examine = (call: ExamineCall): Promise<ExamineAnswer> =>
    withReader(
      call,
      async ({ reader }) => {
        const plugin = await load(call.plugin);
        return call.reads === 'stream'
          ? examineStream(plugin, reader, contextOf(call))
          : examineFile(plugin, reader, contextOf(call));
      },
      (value) => checkExamination(value, setup.limits),
    );

  const folderOf = ({
    files,
    path,
    source,
  }: Pick<ExamineFolderCall, 'files' | 'path' | 'source'>): Folder & { close(): void } => {
    const open: number[] = [];
    return {
      path,
      async *files() {
        for (const file of files) {
          host.tick();
          yield file;
        }
      },
      async open(name, { signal } = {}) {
        signal?.throwIfAborted();
        const place = path === '' ? name : `${path}/${name}`;
        const sibling = async (): Promise<undefined> => undefined;
        if (!files.some((file) => file.path === name)) return undefined;
        if (source.type === 'remote') {
          const found = await host.waiting(() => host.main.openIn(source.folder, name));
          return found && remoteReader(place, { id: found.reader, size: found.size, host, sibling });
        }
        const found = openBelow(source.location, name);
        if (found === undefined) return undefined;
        open.push(found.fd);
        if (open.length > mostOpen) closeFile(open.shift());
        return fdReader({ path: place, fd: found.fd, size: found.stats.size, host, sibling });
      },
      close: () => {
        for (const fd of open.splice(0)) closeFile(fd);
      },
    };
  };

  return {
    async describe(plugin: number): Promise<Answer<Manifest>> {
      try {
        const loadedPlugin = await load(plugin);
        checkManifest(loadedPlugin);
        const { apiVersion, description, folders, match, name, options, version } = loadedPlugin;
        const manifest = { apiVersion, description, folders, match, name, options, version };
        const value = { ...manifest, contributes: contributionsOf(loadedPlugin) };
        return { type: 'answer', value: JSON.parse(JSON.stringify(value)) as Manifest, siblings: [] };
      } catch (error) {
        return faultOf(error);
      }
    },

    async layout(call: LayoutCall): Promise<Answer<LayoutColumns | undefined>> {
      const answer = await withReader(
        call,
        async ({ reader }) => {
          const plugin = await load(call.plugin);
          const { signal } = contextOf({ ...call, kind: '', collection: undefined });
          return plugin.layout?.(reader, { signal, limits: call.limits }) as Promise<CheckedLayout | undefined>;
        },
        (value) => {
          if (value === undefined) return { ok: true, value };
          const { size } = call.source as { readonly size: number };
          const checked = checkLayout(value, size, call.limits);
          return checked.ok ? { ok: true, value: checked.layout } : { ok: false, reason: checked.reason };
        },
      );
      if (answer.type !== 'answer') return answer;
      const value = answer.value && packLayout(answer.value);
      if ((value?.lengths.length ?? 0) > manyTensors) collect();
      return { ...answer, value };
    },

    examine,

    /** What became of each; the number of the one at hand stands in `progress`, for who ends this thread. */
    async examineMany({ bytes, files }: ExamineManyCall): Promise<readonly ExamineAnswer[]> {
      const answers: ExamineAnswer[] = [];
      for (const [number, { length, offset, ...file }] of files.entries()) {
        Atomics.store(progress, 2, number);
        host.tick();
        answers.push(
          await examine({ ...file, source: { type: 'bytes', bytes: bytes.subarray(offset, offset + length) } }),
        );
      }
      if (files.length >= manyFiles) collect();
      return answers;
    },

    async examineFolder(call: ExamineFolderCall): Promise<ExamineAnswer> {
      const folder = folderOf(call);
      try {
        const found = await examineFolder(await load(call.plugin), folder, contextOf(call));
        return answerOf(checkExamination(found, setup.limits), []);
      } catch (error) {
        return faultOf(error);
      } finally {
        folder.close();
      }
    },

    async drift(call: DriftCall): Promise<Answer<readonly Finding[]>> {
      try {
        const plugin = await load(call.plugin);
        const context = contextOf(call);
        const found = call.isFolder
          ? await plugin.folder?.drift?.(call.before, call.after, context)
          : await plugin.drift?.(call.before, call.after, context);
        return answerOf(checkFindings(found ?? [], setup.limits), []);
      } catch (error) {
        return faultOf(error);
      }
    },

    diff: ({ after, before, ...call }: DiffCall): Promise<Answer<Difference | undefined>> =>
      withReader<Difference | undefined>(
        before,
        async (old) => {
          const now = openReader(after, host);
          if (now === undefined) return undefined;
          try {
            const plain = contextOf(call);
            const ids = [before.source, after.source] as const;
            const isSame: DiffContext['isSame'] = async (a, aSpan, b, bSpan) => {
              const [left, right] = ids;
              const isStored =
                left.type === 'remote' && right.type === 'remote' && a === old.reader && b === now.reader;
              if (isStored && aSpan[1] === bSpan[1]) {
                const spans = { before: left.reader, beforeSpan: aSpan, after: right.reader, afterSpan: bSpan };
                if (await host.waiting(() => host.main.isSame(spans))) return true;
              }
              return plain.isSame(a, aSpan, b, bSpan);
            };
            return await (await load(call.plugin)).diff?.(old.reader, now.reader, { ...plain, isSame });
          } finally {
            now.close();
          }
        },
        (value) => (value === undefined ? { ok: true, value } : checkDifference(value, setup.limits)),
      ),

    async exportFolder(call: ExportFolderCall): Promise<Answer<readonly ExportedFile[]>> {
      const folder = folderOf(call);
      try {
        const made = await (await load(call.plugin)).folder?.export?.(folder, contextOf(call));
        return answerOf(checkExport(made ?? [], setup.limits), []);
      } catch (error) {
        return faultOf(error);
      } finally {
        folder.close();
      }
    },

    async diffFolder({ after, before, ...call }: DiffFolderCall): Promise<Answer<Difference | undefined>> {
      const [old, now] = [folderOf(before), folderOf(after)];
      try {
        const found = await (await load(call.plugin)).folder?.diff?.(old, now, contextOf(call));
        if (found === undefined) return { type: 'answer', value: undefined, siblings: [] };
        return answerOf(checkDifference(found, setup.limits), []);
      } catch (error) {
        return faultOf(error);
      } finally {
        old.close();
        now.close();
      }
    },
  };
}

async function loadPlugin(module: string, argument: unknown): Promise<Plugin> {
  const exported = (await import(module)) as Record<string, unknown>;
  const { makePlugin, plugin = exported['default'] } = exported;
  const made: unknown =
    typeof makePlugin === 'function' ? await (makePlugin as (argument: unknown) => unknown)(argument) : plugin;
  checkManifest(made);
  return made as Plugin;
}

function answerOf<T>(checked: Checked<T>, siblings: OpenedReader['siblings']): Answer<T> {
  if (checked.ok) return { type: 'answer', value: checked.value, siblings };
  return { type: 'fault', what: 'answer', message: checked.reason };
}

/** What a plugin threw. A LayoutError says that the file is malformed: that is known from its findings. */
function faultOf(error: unknown): Answer<never> & { readonly type: 'fault' } {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const text = isLayoutError(error) ? `${error.code}: ${error.message}` : message;
  return { type: 'fault', what: 'failed', message: text.slice(0, 500).toWellFormed() };
}

function mainOf(main: Pick<Channel, 'call'>): PluginMain {
  return {
    read: (reader, offset, length) => main.call('read', { reader, offset, length }) as Promise<Uint8Array>,
    open: (reader, path) => main.call('open', { reader, path }) as ReturnType<PluginMain['open']>,
    openIn: (folder, path) => main.call('openIn', { folder, path }) as ReturnType<PluginMain['openIn']>,
    isSame: (call) => main.call('isSame', call) as Promise<boolean>,
  };
}

function closeFile(fd: number | undefined): void {
  if (fd !== undefined) fs.closeSync(fd);
}
