// Tables and codes that scroll must be within reach of the keyboard; the others are no stops of the Tab key.
const scrolling = () => {
  for (const box of document.querySelectorAll('article pre, article .table-wrapper')) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute('tabindex');
  }
};
addEventListener('load', scrolling);
addEventListener('resize', scrolling);
