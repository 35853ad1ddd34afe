// A button that copies; it says whether it did.

export function makeCopy(button, text) {
  const label = button.textContent;
  let back = null;

  button.addEventListener("click", async () => {
    clearTimeout(back);
    try {
      await navigator.clipboard.writeText(text()); // browsers have it with https, and on this machine itself
      button.textContent = "Copied";
    } catch {
      button.textContent = "The browser does not allow it here";
    }
    back = setTimeout(() => { button.textContent = label; }, 1500);
  });
}
