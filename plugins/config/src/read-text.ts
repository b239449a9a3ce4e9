/** The text of a configuration, or why it has none. */

import { type Finding, findingList, type Reader } from '@mbk/plugin-sdk';

/**
 * Larger files are not parsed: a document tree takes up to 150 times the bytes of its text, and what is larger is data,
 * not configuration.
 */
export const maxTextBytes = 262_144;

export interface ConfigText {
  readonly text: string | undefined;
  readonly findings: readonly Finding[];
}

export async function readText(reader: Reader, signal: AbortSignal): Promise<ConfigText> {
  const findings = findingList();
  if (reader.size > maxTextBytes) {
    findings.add({
      code: 'config/too-large',
      severity: 'info',
      message: `${reader.size} bytes are more than a configuration has (${maxTextBytes}): it was not looked into`,
    });
    return { text: undefined, findings: findings.findings() };
  }
  const bytes = await reader.read(0, reader.size, { signal });
  const text = decode(bytes);
  if (text === undefined) {
    findings.add({
      code: 'config/encoding',
      severity: 'error',
      message: 'the bytes are not UTF-8',
      remedy: 'save the file as UTF-8',
      offset: firstBadByte(bytes),
    });
    return { text, findings: findings.findings() };
  }
  if (text.startsWith('\u{FEFF}')) {
    findings.add({
      code: 'config/byte-order-mark',
      severity: 'info',
      message: 'the file begins with a byte order mark, which some readers take for a part of the first key',
      offset: 0,
    });
    return { text: text.slice(1), findings: findings.findings() };
  }
  return { text, findings: findings.findings() };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Where the longest prefix ends that is UTF-8. */
function firstBadByte(bytes: Uint8Array): number {
  let [sound, broken] = [0, bytes.length];
  while (sound < broken) {
    const middle = (sound + broken + 1) >> 1;
    if (decodesSoFar(bytes.subarray(0, middle))) sound = middle;
    else broken = middle - 1;
  }
  return sound;
}

function decodesSoFar(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
