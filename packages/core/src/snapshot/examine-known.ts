/** Files that did not change since they were taken, and what plugins say of them now: the same, unless the plugins changed. */
import { displayBytes } from '../format/byte-name.ts';
import type { AssetPlugins } from './asset-plugins.ts';
import type { AssetFacts } from './stat-record.ts';
import type { WalkedFile } from './walk.ts';

/**
 * The asset as the plugins of this run see it: itself if it was examined by them, under the same options and beside the
 * same other files; else it is examined again, without being stored again.
 */
export function examineKnown(
  walked: WalkedFile,
  asset: AssetFacts | undefined,
  {
    plugins,
    collection,
    sha256,
  }: { readonly plugins: AssetPlugins; readonly collection: string; readonly sha256: string },
): AssetFacts | undefined | Promise<AssetFacts> {
  const { examiner, rules } = plugins;
  if (examiner === undefined || asset === undefined) return asset;
  const { kind } = asset;
  const plugin = rules.findIndex(({ match }) => match.some((rule) => rule.kind === kind));
  const rule = rules[plugin];
  const reads = rule?.match.find((one) => one.kind === kind)?.reads ?? 'random';
  if (rule === undefined || !rule.examines[reads]) return asset;
  if (examiner.isCurrent({ plugin, kind, collection }, asset.examined)) return asset;
  const { facts: identity, location, path } = walked;
  const asked = { path: displayBytes(path), plugin, kind, collection, reads };
  return examiner.file(asked, { location, identity, sha256 }).then((found) => ({ ...asset, ...found }));
}
