import { unknownName } from "../model/index.ts";
import { cutmix } from "./cutmix.ts";
import { fullSize } from "./full-size.ts";
import { mixgen } from "./mixgen.ts";
import { nemo } from "./nemo.ts";
import { paste } from "./paste.ts";
import type { Style } from "./style.ts";
import { yolov4 } from "./yolov4.ts";

/** Every style of mosaic. The first is the default, which plans do not name. */
export const styles: readonly [Style, ...Style[]] = [nemo, fullSize, paste, yolov4, cutmix, mixgen];

export const styleNames: readonly string[] = styles.map(({ name }) => name);

/** The style of a name. Errors: "usage" for an unknown one, with the names there are. */
export function styleOf(name: string): Style {
  const found = styles.find((style) => style.name === name);
  if (found === undefined) throw unknownName("style", name, styleNames);
  return found;
}
