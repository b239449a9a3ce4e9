/** What the stack machine knows of a value: only what leads from the root of a pickle to its tensors. */

/** Something that leads to no tensor and names none. */
export interface Opaque {
  readonly kind: 'opaque';
}

/** `module.name`, never looked up. */
export interface Global {
  readonly kind: 'global';
  readonly name: string;
}

export interface Tuple {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue[];
  /** Cells that are free again when the call is over whose argument it is; 0 if something else may hold it too. */
  refund: number;
}

/** A dict, list or object, with those of its members that may lead to a tensor. */
export interface Container {
  readonly kind: 'container';
  readonly members: Member[];
  /** Members ever added, so that those of a list keep their index. */
  length: number;
}

export interface Member {
  /** Undefined where the member stands for the container itself: an object's state, a call's only argument. */
  readonly key: string | undefined;
  readonly value: PickleValue;
}

/** A storage as a persistent id names it. */
export interface StorageRef {
  readonly kind: 'storage';
  readonly key: string;
  /** The type's last name: `FloatStorage`. */
  readonly type: string;
  /** Elements of the type; bytes for UntypedStorage. */
  readonly length: number;
}

/** A tensor as a rebuilding call describes it, in elements. */
export interface TensorRef {
  readonly kind: 'tensor';
  readonly storage: StorageRef;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
  /** `float8_e4m3fn`, where the call names one. */
  readonly dtype: string | undefined;
}

export type PickleValue = string | number | Opaque | Global | Tuple | Container | StorageRef | TensorRef;

export const opaque: Opaque = { kind: 'opaque' };

export function container(): Container {
  return { kind: 'container', members: [], length: 0 };
}

export function isKind<K extends Exclude<PickleValue, string | number>['kind']>(
  value: PickleValue | undefined,
  kind: K,
): value is Extract<PickleValue, { kind: K }> {
  return typeof value === 'object' && value.kind === kind;
}

/** Whether a tensor may hang on the value. */
export function mayHoldTensors(value: PickleValue): boolean {
  return isKind(value, 'container') || isKind(value, 'tensor') || isKind(value, 'tuple');
}
