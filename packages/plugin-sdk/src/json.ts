/** Plain data: what a plugin answers and what crosses the border to a thread, a program or a catalogue. */

/** Any value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** An object of JSON. */
export interface JsonObject {
  readonly [member: string]: Json;
}

/** A JSON Schema (draft 2020-12) of an object. */
export type JsonSchema = JsonObject;
