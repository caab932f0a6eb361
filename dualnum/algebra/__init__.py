"""Which monomials a jet keeps, where their planes lie, and how they multiply.

`univariate` series along one direction or several, `graded` polynomials in several variables, `directions` as axes of
arrays. Only this folder knows how planes are laid out. It imports nothing but the errors.
"""
