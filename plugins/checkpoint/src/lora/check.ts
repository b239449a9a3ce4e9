/** LoRA adapters: pairs of low-rank matrices, and what `adapter_config.json` of PEFT says about them. */

import type { Json, LayoutTensor, Reader } from '@mbk/plugin-sdk';
import { type Problems, quoted } from '../codes.ts';

/** PEFT: `….lora_A.weight`; diffusers: `….lora.down.weight`; kohya: `….lora_down.weight`. */
const partName =
  /^(.+?)\.(?:(lora_A|lora_down|lora\.down|lora_linear_layer\.down|lora_embedding_A)|(lora_B|lora_up|lora\.up|lora_linear_layer\.up|lora_embedding_B))(?:\.[\w-]+)?(?:\.weight)?$/;

/** lora_diffusion: `unet:12:down`. */
const numberedName = /^(\w+:\d+):(?:(down)|(up))$/;

interface Pair {
  down?: LayoutTensor;
  up?: LayoutTensor;
}

export interface LoraAdapter {
  /** By module, from the names of the tensors. */
  readonly pairs: ReadonlyMap<string, Readonly<Pair>>;
  /** The ranks that occur, ascending. */
  readonly ranks: readonly number[];
}

/** Undefined for a file without a tensor named like a part of an adapter. */
export function loraOf(tensors: readonly LayoutTensor[]): LoraAdapter | undefined {
  const pairs = new Map<string, Pair>();
  for (const tensor of tensors) {
    const [, module, down, up] = partName.exec(tensor.name) ?? numberedName.exec(tensor.name) ?? [];
    if (module === undefined) continue;
    const pair = pairs.get(module) ?? {};
    if (down !== undefined) pair.down = tensor;
    else if (up !== undefined) pair.up = tensor;
    pairs.set(module, pair);
  }
  if (pairs.size === 0) return undefined;
  const ranks = new Set([...pairs].flatMap(([, { down, up }]) => [rankOf(down, 'down'), rankOf(up, 'up')]));
  return { pairs, ranks: [...ranks].filter((rank) => rank !== undefined).toSorted((a, b) => a - b) };
}

/** A is `[rank, in]` and B `[out, rank]`, each with kernel sizes behind; embeddings have them the same way. */
function rankOf(tensor: LayoutTensor | undefined, side: 'down' | 'up'): number | undefined {
  return tensor === undefined || tensor.shape.length < 2 ? undefined : tensor.shape[side === 'down' ? 0 : 1];
}

/** Both halves are there and their inner sizes agree. */
export function checkPairs({ pairs }: LoraAdapter, problems: Problems): void {
  for (const [module, { down, up }] of pairs) {
    if (down === undefined || up === undefined) {
      problems.report('lora/missing-pair', `${quoted(module)} has only one half of its pair`, {
        offset: (down ?? up)?.offset ?? 0,
      });
      continue;
    }
    const inner = [rankOf(down, 'down'), rankOf(up, 'up')];
    if (inner[0] !== undefined && inner[1] !== undefined && inner[0] !== inner[1]) {
      problems.report('lora/wrong-rank', `${quoted(module)}: the halves have the ranks ${inner[0]} and ${inner[1]}`, {
        offset: up.offset,
      });
    }
  }
}

interface PeftConfig {
  readonly rank: number | undefined;
  readonly rankPattern: readonly (readonly [pattern: string, rank: number])[];
  readonly alpha: number | undefined;
  readonly targets: readonly string[] | undefined;
  readonly type: string | undefined;
  readonly base: string | undefined;
}

const longestConfig = 1 << 20;

/** `adapter_config.json` beside the file; undefined where there is none, or none that holds. */
export async function readPeftConfig(
  reader: Reader,
  problems: Problems,
  signal: AbortSignal,
): Promise<PeftConfig | undefined> {
  if (!/(?:^|\/)adapter_model\.(?:safetensors|bin)$/.test(reader.path)) return undefined;
  const file = await reader.sibling('adapter_config.json', { signal });
  if (file === undefined) {
    problems.report('lora/bad-config', 'there is no adapter_config.json beside the adapter, which PEFT asks for');
    return undefined;
  }
  if (file.size > longestConfig) return bad(problems, `adapter_config.json has ${file.size} bytes`);
  const bytes = await file.read(0, file.size, { signal });
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return bad(problems, 'adapter_config.json is no valid JSON');
  }
  if (typeof parsed !== 'object' || parsed === null) return bad(problems, 'adapter_config.json is no object');
  const config = parsed as Record<string, unknown>;
  const text = (name: string): string | undefined => (typeof config[name] === 'string' ? config[name] : undefined);
  const number = (name: string): number | undefined => (typeof config[name] === 'number' ? config[name] : undefined);
  const { rank_pattern: patterns, target_modules: targets } = config;
  if (text('peft_type') === 'LORA' && !Number.isSafeInteger(config['r']))
    bad(problems, 'adapter_config.json has no rank r');
  return {
    rank: number('r'),
    alpha: number('lora_alpha'),
    type: text('peft_type'),
    base: text('base_model_name_or_path'),
    rankPattern: Object.entries(typeof patterns === 'object' && patterns !== null ? patterns : {}).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number',
    ),
    targets: Array.isArray(targets) ? targets.filter((item): item is string => typeof item === 'string') : undefined,
  };
}

function bad(problems: Problems, message: string): undefined {
  problems.report('lora/bad-config', message);
  return undefined;
}

/** What the configuration says holds of the tensors. */
export function checkPeft(adapter: LoraAdapter | undefined, config: PeftConfig, problems: Problems): void {
  if (config.type !== 'LORA') return;
  if (adapter === undefined) {
    problems.report('lora/no-tensors', 'adapter_config.json names a LoRA adapter, and no tensor is part of one');
    return;
  }
  const { rank, rankPattern, targets } = config;
  for (const [module, { down }] of adapter.pairs) {
    const own = rankOf(down, 'down');
    // A pattern of PEFT is the end of a module's name, or a regular expression, which is not run here.
    const pattern = rankPattern.find(([name]) => endsWith(module, name));
    const expected = pattern?.[1] ?? (rankPattern.some(([name]) => /[^\w.]/.test(name)) ? undefined : rank);
    if (own !== undefined && expected !== undefined && own !== expected) {
      problems.report(
        'lora/wrong-rank',
        `${quoted(module)} has the rank ${own}, adapter_config.json says ${expected}`,
        {
          offset: down?.offset ?? 0,
        },
      );
    }
    if (targets !== undefined && !targets.some((target) => endsWith(module, target))) {
      problems.report('lora/unlisted-target', `${quoted(module)} is none of the target_modules`, {
        offset: down?.offset ?? 0,
      });
    }
  }
  const modules = [...adapter.pairs.keys()];
  for (const target of (targets ?? []).slice(0, 1000)) {
    if (modules.some((module) => endsWith(module, target))) continue;
    problems.report('lora/missing-target', `no tensor adapts the target module ${quoted(target)}`);
  }
}

function endsWith(module: string, target: string): boolean {
  return module === target || module.endsWith(`.${target}`);
}

/** For the facts. */
export function loraFacts(adapter: LoraAdapter, config: PeftConfig | undefined): Readonly<Record<string, Json>> {
  return {
    type: 'lora',
    modules: adapter.pairs.size,
    ranks: adapter.ranks.slice(0, 32),
    ...(config?.alpha === undefined ? {} : { alpha: config.alpha }),
    ...(config?.base === undefined ? {} : { baseModel: config.base.slice(0, 200) }),
    ...(config?.targets === undefined
      ? {}
      : { targets: config.targets.slice(0, 64).map((name) => name.slice(0, 100)) }),
  };
}
