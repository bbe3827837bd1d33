/** EmoPy in the browser: facial expressions in images, videos and cameras; no image leaves the page. */

export { EmoPyError, InputError, LabelError, ModelError, ModelNotFoundError } from "./errors.js";
export { FERModel } from "./fermodel.js";
export { ALL_EMOTIONS, STANDARD_EMOTIONS } from "./labels.js";
export { rowColumns, toCSV, toRows } from "./present/table.js";
export { failedInput } from "./types.js";

/** @typedef {import("./bounding_box.js").Box} Box */
/** @typedef {import("./media/frames.js").Frame} Frame */
/** @typedef {import("./media/frames.js").VideoSource} VideoSource */
/** @typedef {import("./media/sources.js").ImageSource} ImageSource */
/** @typedef {import("./models/card.js").ModelCard} ModelCard */
/** @typedef {import("./types.js").FaceResult} FaceResult */
/** @typedef {import("./types.js").FailedInput} FailedInput */
/** @typedef {import("./types.js").ImageResult} ImageResult */
