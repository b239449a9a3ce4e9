/** Where a file belongs when no `mbk.yaml` says it: by its ending. */

import { otherCollection } from './rules.ts';

const byEnding: Readonly<Record<string, string>> = {
  gguf: 'models/production',
  onnx: 'models/production',
  safetensors: 'models/production',
  pt: 'models/checkpoint',
  pth: 'models/checkpoint',
  ckpt: 'models/checkpoint',
  jit: 'models/checkpoint',
  npz: 'models/checkpoint',
  npy: 'data/raw',
  jsonl: 'data/training',
  ndjson: 'data/training',
  csv: 'data/raw',
  tsv: 'data/raw',
  parquet: 'data/raw',
  arrow: 'data/raw',
  tar: 'data/raw',
  yaml: 'configs/files',
  yml: 'configs/files',
  json: 'configs/files',
  toml: 'configs/files',
  ini: 'configs/files',
  cfg: 'configs/files',
  env: 'configs/files',
};

/** The collection of a file name; LoRA adapters by what their tools call them. */
export function guessCollection(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  // Most names are neither, and the pattern takes longer than all else here.
  const mayBeAdapter = name.includes('lora') || name.startsWith('adapter_');
  if (mayBeAdapter && /^(adapter_(model|config)\.|lora[_-]|.*[_-]lora\.)/.test(name)) return 'models/adapter';
  return byEnding[name.slice(name.lastIndexOf('.') + 1)] ?? otherCollection;
}
