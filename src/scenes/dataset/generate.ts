import { CounterRandom } from "../../kernels/index.ts";
import { fail } from "../../model/index.ts";
import { objectClasses } from "../classes.ts";
import { isSeen } from "../meaning/geometry.ts";
import type { ObjectClass } from "../object-class.ts";
import { instanceMapOf } from "../picture/instance-map.ts";
import { layOut, type Placed, type Waiting } from "../picture/layout.ts";
import { stampOf } from "../picture/rasterize.ts";
import type { SpriteSet } from "../picture/sprites.ts";
import type { Backdrop, Scene, SceneObject } from "../scene.ts";
import { type ThemeName, themeNames, themes } from "../themes.ts";
import { expressionsOf, type SceneRef } from "./refer.ts";

/** What decides how scenes are made up; see `sceneOptionsHelp` for what each one does. */
export interface SceneOptions {
  /** Share of the scenes with two or more objects of the target's class, 0 … 1. */
  readonly hardShare: number;
  /** Among those, the share where two of them have the same colour as well, 0 … 1. */
  readonly twinShare: number;
  /** Objects a scene, from and to (2 … 9). */
  readonly objects: readonly [from: number, to: number];
}

/** The defaults of `SceneOptions`. */
export const defaultSceneOptions: SceneOptions = { hardShare: 0.75, twinShare: 0.8, objects: [2, 9] };

const streams = { makeUp: 1, layout: 2 } as const;
const maxAttempts = 400;

/** A scene and its refs to one object each. */
export interface SceneWithRefs {
  readonly scene: Scene;
  readonly refs: readonly SceneRef[];
}

/**
 * Makes up scene `index` of `seed`: which objects stand where, and what can be seen of them. A pure function: the same
 * arguments and sprites give the same scene, whatever was made before. Errors: "usage" for options out of range.
 */
export function generateScene(seed: number, index: number, options: SceneOptions, sprites: SpriteSet): Scene {
  return generateWithRefs(seed, index, options, sprites).scene;
}

/** As `generateScene`, with what `expressionsOf` says of the scene: never nothing. */
export function generateWithRefs(
  seed: number,
  index: number,
  options: SceneOptions,
  sprites: SpriteSet,
): SceneWithRefs {
  checkSceneOptions(options);
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const scene = attemptScene(seed, index, attempt, options, sprites);
    if (scene === undefined) continue;
    const refs = expressionsOf(scene);
    if (refs.length > 0) return { scene, refs };
  }
  return fail("internal", `found no scene ${index} of seed ${seed} after ${maxAttempts} attempts`);
}

/** Errors: "usage", naming the option and its range. */
export function checkSceneOptions(options: SceneOptions): void {
  for (const name of ["hardShare", "twinShare"] as const) {
    if (!(options[name] >= 0 && options[name] <= 1)) fail("usage", `expected ${name} of 0 to 1, got ${options[name]}`);
  }
  const [from, to] = options.objects;
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 2 && to <= 9 && from <= to)) {
    fail("usage", `expected objects of 2 to 9 a scene as [from, to], got [${options.objects.join(", ")}]`);
  }
}

/**
 * Whether scene `index` is to have several objects of the target's class: spread evenly, so that of any run of scenes
 * the share is as wished, give or take one or two.
 */
export function isHardScene(seed: number, index: number, hardShare: number): boolean {
  const start = new CounterRandom(seed, 0, 0, streams.makeUp).float();
  const golden = 0.6180339887498949;
  return (start + index * golden) % 1 < hardShare;
}

function attemptScene(
  seed: number,
  index: number,
  attempt: number,
  options: SceneOptions,
  sprites: SpriteSet,
): Scene | undefined {
  const random = new CounterRandom(seed, attempt, index, streams.makeUp);
  const isHard = isHardScene(seed, index, options.hardShare);
  const backdrop = backdropOf(random);
  const fitting = classesFor(backdrop.theme);
  const cast = castOf(fitting, isHard, options, random);
  const waiting = cast.members.map(
    ({ entry, variant }): Waiting => ({ entry, variant, sprite: sprites.get(entry.name, variant) }),
  );
  const inRow = cast.alike >= 3 && random.below(100) < 60 ? cast.alike : 0;
  const placed = layOut(waiting, backdrop, inRow, new CounterRandom(seed, attempt, index, streams.layout));
  if (placed === undefined) return undefined;
  const { appearances } = instanceMapOf(placed.map(({ sprite, placement }) => stampOf(sprite, placement)));
  const objects = placed.map((object, position) => objectOf(object, position, appearances[position]));
  return objects.every(isWellSeen) ? { seed, index, backdrop, targetClass: cast.target.name, objects } : undefined;
}

function backdropOf(random: CounterRandom): Backdrop {
  const theme = themeNames[random.weighted(themeNames.map((name) => themes[name].weight))] ?? "studio";
  const { horizon, palettes } = themes[theme];
  return {
    theme,
    palette: random.below(palettes.length),
    horizon: Math.round(horizon[0] + (horizon[1] - horizon[0]) * random.float()),
    texture: random.below(65536),
    light: Math.round((random.float() * 2 - 1) * 100) / 100,
  };
}

function classesFor(theme: ThemeName): readonly ObjectClass[] {
  const { place } = themes[theme];
  return place === undefined ? objectClasses : objectClasses.filter((entry) => entry.places.includes(place));
}

interface Member {
  readonly entry: ObjectClass;
  readonly variant: number;
}

/** Who stands in the scene; the objects of the target's class come first. */
function castOf(
  fitting: readonly ObjectClass[],
  isHard: boolean,
  options: SceneOptions,
  random: CounterRandom,
): { target: ObjectClass; alike: number; members: Member[] } {
  const target = random.pick(fitting);
  const [from, to] = options.objects;
  // Towards the middle of the range: two draws' mean.
  const span = to - from + 1;
  const count = from + Math.floor((random.below(span) + random.below(span) + 1) / 2);
  const alike = isHard ? Math.min(count, random.pick([2, 2, 2, 3, 3, 3, 4])) : 1;
  // Something else to compare with, where there is room for it.
  const total = Math.min(to, isHard ? Math.max(count, alike + 1 + random.below(2)) : count);
  const members: Member[] = membersAlike(target, alike, isHard && random.float() < options.twinShare, random);
  // Others of its category are the likeliest company; some of them come in pairs.
  while (members.length < total) {
    const kin = fitting.filter((entry) => entry.category === target.category);
    const entry = random.pick(kin.length > 2 && random.below(3) === 0 ? kin : fitting);
    if (entry === target) continue;
    if (members.some((member) => member.entry === entry) && random.below(3) !== 0) continue;
    members.push({ entry, variant: variantOf(entry, random) });
  }
  return { target, alike, members };
}

function membersAlike(entry: ObjectClass, count: number, isTwin: boolean, random: CounterRandom): Member[] {
  const order = random.shuffle(entry.variants.map((_, position) => position));
  return Array.from({ length: count }, (_, position) => ({
    entry,
    variant: isTwin && position < 2 ? (order[0] ?? 0) : (order[position % order.length] ?? 0),
  }));
}

function variantOf(entry: ObjectClass, random: CounterRandom): number {
  return random.below(3) === 0 ? 0 : random.below(entry.variants.length);
}

function objectOf(placed: Placed, position: number, appearance: SceneAppearance | undefined): SceneObject {
  const look = placed.entry.variants[placed.variant];
  if (look === undefined || appearance === undefined) fail("internal", "an object without a look");
  return {
    id: position + 1,
    className: placed.entry.name,
    variant: placed.variant,
    colours: look.colours,
    tints: look.tints,
    placement: placed.placement,
    ...appearance,
  };
}

type SceneAppearance = Pick<SceneObject, "box" | "wholeBox" | "area" | "wholeArea">;

/** Scenes hold no object that is hidden, or nearly: more than half of each one shows, and enough to be recognised. */
function isWellSeen(object: SceneObject): boolean {
  return isSeen(object) === 2 && object.area >= 0.55 * object.wholeArea && object.area >= 1500;
}
