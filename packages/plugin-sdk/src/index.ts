/** The contract of an mbk plugin, apiVersion 1: what an author writes and what a host relies on. No dependencies. */

export { apiVersion, definePlugin, type LayoutContext, type Plugin } from './plugin.ts';
export {
  type Magic,
  magicSpan,
  type Match,
  matchesMagic,
  matchesPath,
  matchingKind,
  type MatchTarget,
} from './match.ts';
export { memoryReader, type Reader, type ReadOptions } from './reader.ts';
export { type Layout, LayoutError, type LayoutLimits, layoutLimits, type LayoutTensor } from './layout.ts';
export { checkLayout, type CheckedLayout, type CheckedTensor, type LayoutCheck, makeLayout } from './check-layout.ts';
export { type Block, blockOf, type Dtype, isDtype } from './dtype.ts';
export { type ByteCursor, byteCursor, type ByteCursorOptions } from './byte-cursor.ts';
