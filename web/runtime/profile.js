/** Note which functions of a module of ONNX Runtime are called. */

import { RUNTIMES } from "../src/models/files.js";
import { setRuntime } from "../src/models/session.js";
import { WasmModule } from "./module.js";

/**
 * Let ONNX Runtime start with a module that notes which functions are called.
 *
 * @param {WasmModule} module
 * @returns {() => number[]} Numbers of the functions that were called until now.
 */
export function startNoting(module) {
  setRuntime(module.instrumented().buffer, RUNTIMES.all);
  const instances = watchInstances();
  return () => {
    const [{ exports }] = instances;
    return module.functions.filter(
      (index) => /** @type {WebAssembly.Global} */ (exports[WasmModule.counterOf(index)]).value,
    );
  };
}

/** The instances of modules that are started from now on. */
function watchInstances() {
  /** @type {WebAssembly.Instance[]} */
  const instances = [];
  const instantiate = WebAssembly.instantiate;
  WebAssembly.instantiate = /** @type {typeof instantiate} */ (
    async (/** @type {[any, any]} */ ...source) => {
      const started = /** @type {WebAssembly.WebAssemblyInstantiatedSource} */ (
        /** @type {unknown} */ (await instantiate(...source))
      );
      instances.push(started.instance);
      return started;
    }
  );
  return instances;
}
