/** Options as they are where `mbk.yaml` says nothing. */

import type { Json, JsonObject, JsonSchema } from './json.ts';

/** The `default` of each property of a schema of type object. */
export function defaultOptions(schema: JsonSchema | undefined): JsonObject {
  const properties = schema?.['properties'];
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties)) return {};
  return Object.fromEntries(
    Object.entries(properties as JsonObject).flatMap(([name, property]): readonly [string, Json][] => {
      if (typeof property !== 'object' || property === null || Array.isArray(property)) return [];
      const value = (property as JsonObject)['default'];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
