# What flow.py has to complain about, one function for each way to leak a secret, and what it must let pass. A function gets
# the address of a closure in rdi: the address of a secret, the address of another, a length.

        .intel_syntax noprefix
        .text

        .macro function name
        .globl  \name
        .type   \name, @function
\name:
        .endm

function bad_jump_by_an_octet
        mov     rax, [rdi]
        cmp     byte ptr [rax], 0
        je      1f
        nop
1:      ret

function bad_jump_by_a_vector
        mov     rax, [rdi]
        vmovdqu xmm0, [rax]
        vmovd   ecx, xmm0
        test    cl, 1
        jne     1f
        nop
1:      ret

function bad_jump_by_flags_of_a_vector
        mov     rax, [rdi]
        vmovdqu ymm0, [rax]
        vptest  ymm0, ymm0
        je      1f
        nop
1:      ret

function bad_jump_by_a_mask
        mov     rax, [rdi]
        vmovdqu64 zmm0, [rax]
        vpxorq  zmm1, zmm1, zmm1
        vpcmpeqb k1, zmm0, zmm1
        kortestq k1, k1
        je      1f
        nop
1:      ret

function bad_look_up
        mov     rax, [rdi]
        movzx   ecx, byte ptr [rax+3]
        lea     rdx, [rip+table]
        mov     cl, [rdx+rcx]
        mov     [rax], cl
        ret

function bad_look_up_after_aes
        mov     rax, [rdi]
        vmovdqu ymm0, [rax]
        vaesenc ymm0, ymm0, ymm0
        vpextrb ecx, xmm0, 5
        vmovdqu xmm1, [rax+rcx]
        ret

function bad_gather
        mov     rax, [rdi]
        vmovdqu ymm0, [rax]
        vpcmpeqd ymm2, ymm2, ymm2
        vpgatherdd ymm1, [rax+ymm0*4], ymm2
        ret

function bad_division
        mov     rcx, [rdi]
        mov     eax, [rcx]
        xor     edx, edx
        div     dword ptr [rcx+4]
        ret

function bad_mask_of_a_load
        mov     rax, [rdi]
        mov     rcx, [rax]
        kmovq   k1, rcx
        vmovdqu8 zmm0{k1}{z}, [rax]
        ret

function bad_after_the_stack
        sub     rsp, 24
        mov     rax, [rdi]
        vmovdqu xmm0, [rax]
        vmovdqu [rsp], xmm0
        mov     rcx, [rsp+8]
        add     rsp, 24
        cmp     rcx, 7
        ja      1f
        nop
1:      ret

function bad_after_an_array_on_the_stack
        mov     rax, [rdi]
        mov     rdx, [rdi+16]
        mov     cl, [rax]
        mov     [rsp+rdx-64], cl
        movzx   ecx, byte ptr [rsp-60]
        dec     ecx
        jne     1f
        nop
1:      ret

function bad_on_the_second_turn
        mov     rax, [rdi]
        mov     rdx, [rdi+16]
        xor     ecx, ecx
1:      test    ecx, ecx
        jne     2f
        mov     cl, [rax]
2:      dec     rdx
        jne     1b
        ret

function bad_by_a_conditional_move
        mov     rax, [rdi]
        mov     rdx, [rdi+8]
        test    byte ptr [rax], 1
        cmove   rax, rdx
        mov     cl, [rax]
        ret

function bad_argument
        movzx   eax, byte ptr [rdi+rax]
        ret

function good_lengths_decide
        mov     rax, [rdi]
        mov     rdx, [rdi+8]
        mov     rcx, [rdi+16]
        test    rcx, rcx
        je      2f
        vmovdqu64 zmm0, [rdx]
1:      vmovdqu64 zmm1, [rax]
        vpxorq  zmm1, zmm1, zmm0
        vaesenc zmm1, zmm1, zmm0
        vmovdqu64 [rax], zmm1
        add     rax, 64
        dec     rcx
        jne     1b
2:      vzeroupper
        ret

function good_less_than_a_block
        mov     rax, [rdi]
        mov     rcx, [rdi+16]
        mov     rdx, [rax]
        shl     ecx, 3
        shr     rdx, cl
        xor     rdx, 0x11
        test    cl, 64
        cmove   rdx, rcx
        mov     [rax], rdx
        ret

function good_stack
        push    rbx
        sub     rsp, 32
        mov     rbx, [rdi+16]
        mov     [rsp], rbx
        mov     rax, [rdi]
        vmovdqu xmm0, [rax]
        vmovdqu [rsp+16], xmm0
        mov     rcx, [rsp]
        cmp     rcx, 7
        ja      1f
        vmovdqu xmm1, [rax+rcx]
1:      add     rsp, 32
        pop     rbx
        ret

        .section .rodata
table:  .zero   256
