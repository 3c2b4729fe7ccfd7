import ../.
