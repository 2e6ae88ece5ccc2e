from sealite._cli import main

main()
