/** What plugins found in the assets of a run, for its report and for `--strict`. */
import type { Finding } from '@mbk/plugin-sdk';
import { MbkError } from '../errors.ts';
import { assetLimits } from '../format/asset-line.ts';
import { decodeByteText, displayBytes, type ByteText } from '../format/byte-name.ts';
import type { CapturedCollection } from '../snapshot/capture-source.ts';
import type { CollectionRef } from '../snapshot/stat-cache.ts';

export interface AssetFinding extends CollectionRef {
  readonly path: ByteText;
  readonly kind: string;
  /** Name and version. */
  readonly plugin: string;
  readonly finding: Finding;
}

type FoundIn = Pick<CapturedCollection, 'domain' | 'collection' | 'assets'>;

/** In the order of collections and assets. */
export function findingsOf(collections: readonly FoundIn[]): readonly AssetFinding[] {
  return collections.flatMap(({ assets, collection, domain }) =>
    assets.flatMap(({ findings = [], kind, path, plugin = '' }) =>
      findings.map((finding) => ({ domain, collection, path, kind, plugin, finding })),
    ),
  );
}

/** Whether something was found that is an error. */
export function hasErrors(assets: FoundIn['assets']): boolean {
  return assets.some(({ findings }) => findings?.some(({ severity }) => severity === 'error') === true);
}

/** Throws `validation-failed` if there is an error among the findings. */
export function refuseErrors(findings: readonly AssetFinding[]): void {
  const errors = findings.filter(({ finding }) => finding.severity === 'error');
  const [first] = errors;
  if (first === undefined) return;
  const name = displayBytes(decodeByteText(first.path, 'path', assetLimits.pathBytes));
  const more = errors.length === 1 ? '' : `, and ${errors.length - 1} more`;
  throw new MbkError('validation-failed', `${name}: ${first.finding.message} (${first.finding.code})${more}`, {
    details: { findings: errors.slice(0, 100) },
  });
}
