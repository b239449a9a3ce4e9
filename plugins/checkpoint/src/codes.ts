/** Every finding of this plugin with its severity; docs/plugins/checkpoint.md says what each means. */

import { type Finding, findingList, type LayoutError, severities, type Severity } from '@mbk/plugin-sdk';

const codes = {
  // Pickles.
  'pickle/dangerous-global': 'error',
  'pickle/unknown-global': 'warning',
  'pickle/unresolved-global': 'error',
  'pickle/extension-code': 'error',
  'pickle/indirect-call': 'warning',
  'pickle/bad-stack': 'error',
  'pickle/bad-opcode': 'error',
  'pickle/bad-protocol': 'error',
  'pickle/misplaced-protocol': 'warning',
  'pickle/bad-frame': 'warning',
  'pickle/truncated': 'error',
  'pickle/too-long': 'error',
  'pickle/too-complex': 'warning',
  'pickle/multiple': 'warning',
  'pickle/trailing-bytes': 'warning',
  // Zip files.
  'zip/no-directory': 'error',
  'zip/bad-directory': 'error',
  'zip/split': 'error',
  'zip/two-directories': 'error',
  'zip/too-many-members': 'error',
  'zip/out-of-file': 'error',
  'zip/header-disagrees': 'error',
  'zip/duplicate-member': 'error',
  'zip/encrypted': 'error',
  'zip/unsafe-name': 'error',
  'zip/unknown-method': 'error',
  'zip/bad-deflate': 'error',
  'zip/wrong-crc': 'warning',
  'zip/overlap': 'error',
  'zip/hidden-bytes': 'warning',
  'zip/bomb': 'error',
  'zip/nested': 'warning',
  'zip/too-deep': 'error',
  // PyTorch.
  'torch/no-pickle': 'warning',
  'torch/missing-storage': 'error',
  'torch/storage-size': 'error',
  'torch/unused-storage': 'warning',
  'torch/compressed-storage': 'error',
  'torch/bad-byte-order': 'warning',
  'torch/bad-legacy': 'error',
  'torch/legacy': 'info',
  // Any file.
  'checkpoint/wrong-extension': 'error',
  'checkpoint/unknown-format': 'error',
  'checkpoint/polyglot': 'error',
  'checkpoint/nan': 'error',
  'checkpoint/infinity': 'error',
  // safetensors.
  'safetensors/not-safetensors': 'error',
  'safetensors/header-too-large': 'error',
  'safetensors/truncated': 'error',
  'safetensors/bad-json': 'error',
  'safetensors/duplicate-name': 'error',
  'safetensors/duplicate-key': 'error',
  'safetensors/too-many-tensors': 'error',
  'safetensors/bad-dtype': 'error',
  'safetensors/bad-shape': 'error',
  'safetensors/bad-offsets': 'error',
  'safetensors/wrong-size': 'error',
  'safetensors/overlap': 'error',
  'safetensors/hole': 'error',
  'safetensors/incomplete': 'error',
  'safetensors/bad-metadata': 'error',
  'safetensors/suspicious-name': 'warning',
  'safetensors/unaligned': 'info',
  // Sets of files.
  'shards/bad-index': 'error',
  'shards/missing-file': 'error',
  'shards/missing-tensor': 'error',
  'shards/unlisted-tensor': 'warning',
  'shards/total-size': 'warning',
  'shards/unsafe-name': 'error',
  // LoRA.
  'lora/bad-config': 'error',
  'lora/wrong-rank': 'error',
  'lora/missing-pair': 'error',
  'lora/missing-target': 'warning',
  'lora/unlisted-target': 'warning',
  'lora/no-tensors': 'error',
  // NumPy.
  'npy/bad-magic': 'error',
  'npy/bad-version': 'error',
  'npy/bad-header': 'error',
  'npy/truncated': 'error',
  'npy/trailing-bytes': 'warning',
  'npy/objects': 'warning',
  'npy/unaligned': 'info',
  // ONNX.
  'onnx/bad-protobuf': 'error',
  'onnx/no-graph': 'error',
  'onnx/bad-tensor': 'error',
  'onnx/wrong-size': 'error',
  'onnx/unsafe-external-data': 'error',
  'onnx/missing-external-data': 'error',
  'onnx/too-many-tensors': 'error',
} as const;

export type CheckpointCode = keyof typeof codes;

/** Codes with their severities, in the order of the document. */
export const checkpointCodes: Readonly<Record<CheckpointCode, Severity>> = codes;

/** Findings of one file, by their codes. */
export interface Problems {
  report(code: CheckpointCode, message: string, more?: Omit<Partial<Finding>, 'code' | 'message'>): void;
  /** What a parser threw. */
  fail(error: LayoutError, offset?: number): void;
  include(findings: readonly Finding[]): void;
  /** Errors first. */
  findings(): readonly Finding[];
}

/** Of each code so many are told one by one. */
const perCode = 10;

export function problemList(): Problems {
  const list = findingList(perCode);
  return {
    report(code, message, more = {}) {
      list.add({ code, severity: codes[code], message, ...more });
    },
    fail({ code, message, offset: own }, offset = own) {
      list.add({ code, severity: 'error', message, ...(offset === undefined ? {} : { offset }) });
    },
    include: (findings) => findings.forEach((finding) => list.add(finding)),
    findings: () => list.findings().toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity)),
  };
}

/** A name from the file, short and without control characters, for a message. */
export function quoted(text: string): string {
  const plain = text.slice(0, 400).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, ' ');
  return JSON.stringify(plain.length > 120 ? `${plain.slice(0, 120)}…` : plain).toWellFormed();
}
