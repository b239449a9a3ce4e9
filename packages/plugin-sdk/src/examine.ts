/** Asks a plugin about one file, as every host does it: mbk's, and the conformance suite's. */

import type { PluginContext, ReaderContext } from './context.ts';
import type { Finding } from './finding.ts';
import type { Folder } from './folder.ts';
import type { Examination, Inspection } from './inspection.ts';
import { isLayoutError, type LayoutError } from './layout.ts';
import type { Plugin } from './plugin.ts';
import type { Reader, StreamReader } from './reader.ts';

/**
 * `inspect` and `validate` of a file of a `random` rule. A LayoutError of `validate` is an error finding; one of
 * `inspect` means that there are no facts, and a finding if the plugin does not validate. Rejects with what else they throw.
 */
export async function examineFile(plugin: Plugin, reader: Reader, context: ReaderContext): Promise<Examination> {
  return both(
    plugin.inspect && (() => plugin.inspect?.(reader, context)),
    plugin.validate && (() => plugin.validate?.(reader, context)),
  );
}

/** `scan` of a file of a `stream` rule; a LayoutError is an error finding. */
export async function examineStream(
  plugin: Plugin,
  reader: StreamReader,
  context: PluginContext,
): Promise<Examination> {
  try {
    return (await plugin.scan?.(reader, context)) ?? { findings: [] };
  } catch (error) {
    if (!isLayoutError(error)) throw error;
    return { findings: [findingOf(error)] };
  }
}

/** `folder.inspect` and `folder.validate`. */
export async function examineFolder(plugin: Plugin, folder: Folder, context: ReaderContext): Promise<Examination> {
  const own = plugin.folder;
  return both(
    own?.inspect && (() => own.inspect?.(folder, context)),
    own?.validate && (() => own.validate?.(folder, context)),
  );
}

async function both(
  inspect: (() => Promise<Inspection | undefined> | undefined) | undefined,
  validate: (() => Promise<readonly Finding[]> | undefined) | undefined,
): Promise<Examination> {
  let inspection: Inspection | undefined;
  let findings: readonly Finding[] = [];
  try {
    inspection = await inspect?.();
  } catch (error) {
    if (!isLayoutError(error)) throw error;
    if (validate === undefined) findings = [findingOf(error)];
  }
  try {
    findings = (await validate?.()) ?? findings;
  } catch (error) {
    if (!isLayoutError(error)) throw error;
    findings = [findingOf(error)];
  }
  return { ...(inspection && { inspection }), findings };
}

function findingOf({ code, message, offset }: LayoutError): Finding {
  return { code, severity: 'error', message, ...(offset === undefined ? {} : { offset }) };
}
