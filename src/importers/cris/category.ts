import { denseCocoCategory } from "../../codecs/index.ts";
import { type Dict, field } from "../values.ts";

/** The name of an entry's category: nemosaic's exports give it as `category`, others COCO's dense number alone. */
export function categoryOf(entry: Dict): string | undefined {
  const named = field(entry, "category");
  return typeof named === "string" && named !== "" ? named : denseCocoCategory(field(entry, "cat"));
}
