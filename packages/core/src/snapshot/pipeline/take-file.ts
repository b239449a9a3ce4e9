/** Takes one file by itself: what a plugin knows of it, its content, and whether it stayed as it was. */
import type { Layout } from '../../format/layout-record.ts';
import { checkLayout } from '../../format/layout-record.ts';
import { isMbkError } from '../../errors.ts';
import type { AssetPlugins } from '../asset-plugins.ts';
import { captureFile, type Capture, type OpenSource } from '../capture-file.ts';
import type { FileStorer } from '../file-storer.ts';
import { sourceReader } from '../source-reader.ts';
import type { AssetFacts } from '../stat-record.ts';
import type { WalkedFile } from '../walk.ts';

export interface TakenFile {
  readonly capture: Capture;
  /** Undefined if no plugin knows it. */
  readonly asset: AssetFacts | undefined;
}

export interface TakeFileOptions {
  readonly storer: FileStorer;
  readonly plugins: AssetPlugins;
  readonly signal?: AbortSignal | undefined;
}

/** Reads and stores one file, with its layout if a plugin knows it. Throws what the store throws, and 'interrupted'. */
export async function takeFile(walked: WalkedFile, { storer, plugins, signal }: TakeFileOptions): Promise<TakenFile> {
  let asset: AssetFacts | undefined;
  const layoutOf = async (file: OpenSource): Promise<Layout | undefined> => {
    const reader = sourceReader(file);
    const head = await reader.read(0, Math.min(plugins.headBytes, reader.size)).catch(() => new Uint8Array(0)); // it shrank: read again
    const recognised = await plugins.recognise(reader, head, signal);
    asset = recognised && {
      kind: recognised.kind,
      ...(recognised.layout && { tensors: recognised.layout.tensors.length }),
    };
    return recognised?.layout && storableLayout(recognised.layout, reader.size);
  };
  const capture = await captureFile(walked, { storer, layoutOf, signal });
  return { capture, asset };
}

/** A plugin's layout as the format has it; undefined if the format has no room for it: the file is cut by its content. */
function storableLayout({ container, tensors }: Layout, size: number): Layout | undefined {
  try {
    return checkLayout({ container, tensors }, size, 'layout');
  } catch (error) {
    if (isMbkError(error, 'value-invalid')) return undefined;
    throw error;
  }
}
